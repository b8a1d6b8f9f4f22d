package transport

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// fields decodes blocks of headers, one at a time.
type fields struct {
	decoder *hpack.Decoder
	block   []byte
	most    int // bytes of the decoded fields

	size     int
	tooLarge bool
	// malformed is what of RFC 9113 §8 the block breaks.
	malformed string
	regular   bool // there was a field that is no pseudo-header
	// The pseudo-headers and those with a meaning for gRPC.
	method, scheme, path, authority string
	contentType, encoding, timeout  string
	length                          int // of all data, -1 if it is not told
	// md is everything that handlers see.
	md metadata.MD
}

func (h *fields) init(most int) {
	h.most = most
	h.decoder = hpack.NewDecoder(tableSize, h.field)
	h.decoder.SetMaxStringLength(most)
}

// decode reads a block.
func (h *fields) decode(block []byte) error {
	*h = fields{decoder: h.decoder, block: h.block, most: h.most, length: -1, md: metadata.MD{}}
	_, err := h.decoder.Write(block)
	if err == nil {
		err = h.decoder.Close()
	}
	if err == hpack.ErrStringLength {
		return breach(http2.ErrCodeEnhanceYourCalm, "a header of more than %d bytes", h.most)
	}
	if err != nil {
		return breach(http2.ErrCodeCompression, "%v", err)
	}
	return nil
}

// field takes one field; the decoder calls it.
func (h *fields) field(f hpack.HeaderField) {
	if h.size += int(f.Size()); h.size > h.most {
		h.tooLarge = true
		return
	}
	if f.IsPseudo() {
		h.pseudo(f)
		return
	}
	h.regular = true
	if !validName(f.Name) || !httpguts.ValidHeaderFieldValue(f.Value) {
		h.malformed = "a header that is none"
		return
	}
	switch f.Name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		h.malformed = "a header of connections: " + f.Name
		return
	case "te":
		if f.Value != "trailers" {
			h.malformed = "te is " + f.Value
		}
		return
	case "content-length":
		n, err := strconv.ParseUint(f.Value, 10, 31)
		if err != nil {
			h.malformed = "a length that is no number"
			return
		}
		h.length = int(n)
		return
	case "content-type":
		h.contentType = f.Value
	case "grpc-encoding":
		h.encoding = f.Value
		return
	case "grpc-timeout":
		h.timeout = f.Value
		return
	case "grpc-message-type", "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-accept-encoding":
		return
	}
	v := f.Value
	if strings.HasSuffix(f.Name, "-bin") {
		b, err := decodeBinary(v)
		if err != nil {
			h.malformed = "the header " + f.Name + " is not base64"
			return
		}
		v = string(b)
	}
	h.md[f.Name] = append(h.md[f.Name], v)
}

func (h *fields) pseudo(f hpack.HeaderField) {
	var to *string
	switch f.Name {
	case ":method":
		to = &h.method
	case ":scheme":
		to = &h.scheme
	case ":path":
		to = &h.path
	case ":authority":
		to = &h.authority
		h.md[f.Name] = []string{f.Value}
	}
	if to == nil || *to != "" || h.regular {
		h.malformed = "the pseudo-header " + f.Name + " is unknown, or twice, or late"
		return
	}
	*to = f.Value
}

// validName reports whether a name can be that of a header of HTTP/2, which has no
// capital letters.
func validName(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !httpguts.IsTokenRune(rune(c)) || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// decodeBinary decodes a value with and without padding.
func decodeBinary(v string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(v, "="))
}

// parseTimeout reads grpc-timeout: up to eight digits and a unit.
func parseTimeout(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 9 {
		return 0, false
	}
	unit := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond}[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 63)
	if err != nil || unit == 0 {
		return 0, false
	}
	if n > uint64(1<<62/unit) {
		return 1 << 62, true
	}
	return time.Duration(n) * unit, true
}

// headerFields returns what a call's answer begins with.
func headerFields(contentType string, md metadata.MD) []hpack.HeaderField {
	return appendMetadata([]hpack.HeaderField{{Name: ":status", Value: "200"}, {Name: "content-type", Value: contentType}}, md)
}

// trailerFields returns what a call's answer ends with; of at most most bytes, unless
// that is 0, without metadata and details if need be.
func trailerFields(st *status.Status, md metadata.MD, most int) []hpack.HeaderField {
	message := st.Message()
	out := []hpack.HeaderField{{Name: "grpc-status", Value: strconv.Itoa(int(st.Code()))}}
	if message != "" {
		out = append(out, hpack.HeaderField{Name: "grpc-message", Value: escapeMessage(message)})
	}
	least := out
	if p := st.Proto(); p != nil && len(p.Details) > 0 {
		if b, err := proto.Marshal(p); err == nil {
			out = append(out, hpack.HeaderField{Name: "grpc-status-details-bin", Value: base64.RawStdEncoding.EncodeToString(b)})
		}
	}
	out = appendMetadata(out, md)
	if most == 0 || fieldsSize(out) <= most {
		return out
	}
	if room := most - fieldsSize(least); room < 0 && len(least) > 1 {
		v := least[1].Value
		least[1].Value = strings.TrimRight(v[:max(len(v)+room-2, 0)], "%")
	}
	return least
}

func fieldsSize(list []hpack.HeaderField) (n int) {
	for _, f := range list {
		n += int(f.Size())
	}
	return n
}

func appendMetadata(out []hpack.HeaderField, md metadata.MD) []hpack.HeaderField {
	for name, values := range md {
		name = strings.ToLower(name)
		if !validName(name) || strings.HasPrefix(name, "grpc-") || name == "content-type" || name == "te" {
			continue
		}
		for _, v := range values {
			if strings.HasSuffix(name, "-bin") {
				v = base64.RawStdEncoding.EncodeToString([]byte(v))
			}
			if !httpguts.ValidHeaderFieldValue(v) {
				continue
			}
			out = append(out, hpack.HeaderField{Name: name, Value: v, Sensitive: name == "authorization"})
		}
	}
	return out
}

// escapeMessage writes a text as grpc-message: printable ASCII, everything else with
// percent signs.
func escapeMessage(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] <= '~' && s[i] != '%'
	}
	if plain {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// headers reads a block of headers, and opens the call that it begins.
func (c *conn) headers(f frame) error {
	if f.id == 0 {
		return breach(http2.ErrCodeProtocol, "headers of no stream")
	}
	block, dependsOn, err := c.headerBlock(f)
	if err != nil {
		return err
	}
	h := &c.fields
	if err := h.decode(block); err != nil {
		return err
	}
	ends := f.flags&http2.FlagHeadersEndStream != 0
	c.mu.Lock()
	k, last, draining, busy := c.calls[f.id], c.lastID, c.draining, len(c.calls)
	if f.id > last && f.id%2 == 1 {
		c.lastID = f.id
	}
	c.mu.Unlock()
	switch {
	case f.id%2 == 0:
		return breach(http2.ErrCodeProtocol, "a client opens stream %d", f.id)
	case k != nil && !k.in.closed: // trailers
		if !ends || h.method != "" || h.path != "" || h.malformed != "" {
			return &reset{f.id, http2.ErrCodeProtocol, "trailers that do not end the stream"}
		}
		return k.end()
	case k != nil:
		return &reset{f.id, http2.ErrCodeStreamClosed, "headers after the end of a stream"}
	case f.id <= last:
		return breach(http2.ErrCodeStreamClosed, "stream %d is opened again", f.id)
	case draining || busy >= c.server.opts.MaxCalls:
		return &reset{f.id, http2.ErrCodeRefusedStream, "no more calls"}
	case dependsOn == f.id:
		return &reset{f.id, http2.ErrCodeProtocol, "a stream depends on itself"}
	case h.malformed != "":
		return &reset{f.id, http2.ErrCodeProtocol, h.malformed}
	case !h.tooLarge && (h.method == "" || h.scheme == "" || h.path == ""):
		return &reset{f.id, http2.ErrCodeProtocol, "a pseudo-header is missing"}
	}
	return c.open(f.id, ends)
}

// headerBlock reads the frames of a block; it is good until the next frame.
func (c *conn) headerBlock(f frame) (block []byte, dependsOn uint32, err error) {
	most := c.server.opts.MaxHeaders
	if f.size > most {
		return nil, 0, breach(http2.ErrCodeEnhanceYourCalm, "headers of %d bytes", f.size)
	}
	p, err := c.in.take(f.size)
	if err != nil {
		return nil, 0, err
	}
	if p, err = unpad(f, p); err != nil {
		return nil, 0, err
	}
	if f.flags&http2.FlagHeadersPriority != 0 {
		if len(p) < 5 {
			return nil, 0, breach(http2.ErrCodeFrameSize, "a priority of %d bytes", len(p))
		}
		dependsOn = parseFrame(append(make([]byte, 5, 9), p[:4]...)).id
		p = p[5:]
	}
	if f.flags&http2.FlagHeadersEndHeaders != 0 {
		return p, dependsOn, nil
	}
	c.fields.block = append(c.fields.block[:0], p...)
	spent := len(p)
	for {
		head, err := c.in.take(frameHead)
		if err != nil {
			return nil, 0, err
		}
		next := parseFrame(head)
		if next.kind != http2.FrameContinuation || next.id != f.id {
			return nil, 0, breach(http2.ErrCodeProtocol, "%v of stream %d among the headers of stream %d", next.kind, next.id, f.id)
		}
		// Empty ones count, too: they could go on for ever.
		if spent += frameHead + next.size; spent > most {
			return nil, 0, breach(http2.ErrCodeEnhanceYourCalm, "headers without end")
		}
		if p, err = c.in.take(next.size); err != nil {
			return nil, 0, err
		}
		c.fields.block = append(c.fields.block, p...)
		if next.flags&http2.FlagContinuationEndHeaders != 0 {
			return c.fields.block, dependsOn, nil
		}
	}
}

// refusal is what is wrong with the headers of a call, as HTTP says it (0 if gRPC does).
func (h *fields) refusal() (httpStatus int, st *status.Status) {
	switch {
	case h.tooLarge:
		return 0, status.Newf(codes.ResourceExhausted, "the headers of the call have more than %d bytes", h.most)
	case h.method != "POST":
		return 405, status.New(codes.Internal, "a call of gRPC is a POST")
	case h.contentType != "application/grpc" && !strings.HasPrefix(h.contentType, "application/grpc+") && !strings.HasPrefix(h.contentType, "application/grpc;"):
		return 415, status.Newf(codes.Internal, "a call of gRPC has the content-type application/grpc, not %q", h.contentType)
	case h.encoding != "" && h.encoding != "identity":
		return 0, status.Newf(codes.Unimplemented, "messages compressed with %q; this server takes none that are compressed", h.encoding)
	case h.timeout != "":
		if _, ok := parseTimeout(h.timeout); !ok {
			return 0, status.Newf(codes.Internal, "grpc-timeout is %q", h.timeout)
		}
	}
	return 0, nil
}
