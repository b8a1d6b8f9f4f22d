package encoding

import "fmt"

// A PageKind is what a page holds, by its number in the Parquet format.
type PageKind int32

// The kinds of pages.
const (
	DataPage       PageKind = 0
	IndexPage      PageKind = 1
	DictionaryPage PageKind = 2
	DataPageV2     PageKind = 3
)

// A Kind is an encoding of values or levels, by its number in the Parquet format.
type Kind int32

// The encodings.
const (
	Plain                Kind = 0
	PlainDictionary      Kind = 2
	RLE                  Kind = 3
	BitPacked            Kind = 4
	DeltaBinaryPacked    Kind = 5
	DeltaLengthByteArray Kind = 6
	DeltaByteArray       Kind = 7
	RLEDictionary        Kind = 8
	ByteStreamSplit      Kind = 9
)

// PageHeader is what stands before the body of a page.
type PageHeader struct {
	Kind PageKind
	// Size is the length of the body in bytes after decompression, Packed before.
	Size, Packed int32
	// Values is the number of values, nulls included.
	Values   int32
	Encoding Kind
	// Levels is the encoding of the definition levels of a DataPage.
	Levels Kind
	// DefinitionBytes and RepetitionBytes are the lengths of the levels of a
	// DataPageV2, which are not compressed.
	DefinitionBytes, RepetitionBytes int32
	// Compressed is false if the values of a DataPageV2 are as they are.
	Compressed bool
}

// ParsePageHeader decodes the header that b begins with and returns its length.
// The error is ErrShort if b ends inside the header.
func ParsePageHeader(b []byte) (h PageHeader, n int, err error) {
	h.Kind, h.Compressed = -1, true
	c := &compact{b: b}
	body := PageKind(-1) // which of the structs was there
	err = c.fields(func(id int32, typ byte) error {
		switch {
		case typ == typeI32 && id == 1:
			k, err := c.int32()
			h.Kind = PageKind(k)
			return err
		case typ == typeI32 && id == 2:
			return c.size(&h.Size)
		case typ == typeI32 && id == 3:
			return c.size(&h.Packed)
		case typ == typeStruct && id == 5:
			body = DataPage
			return c.dataPage(&h)
		case typ == typeStruct && id == 7:
			body = DictionaryPage
			return c.dataPage(&h)
		case typ == typeStruct && id == 8:
			body = DataPageV2
			return c.dataPageV2(&h)
		}
		return c.skip(typ, 0)
	})
	if err != nil {
		return h, c.at, err
	}
	if h.Kind < 0 || body != h.Kind && (h.Kind == DataPage || h.Kind == DictionaryPage || h.Kind == DataPageV2) {
		return h, c.at, fmt.Errorf("a page header that does not describe its page")
	}
	return h, c.at, nil
}

// size decodes a number that counts something.
func (c *compact) size(to *int32) error {
	n, err := c.int32()
	if err == nil && n < 0 {
		err = fmt.Errorf("a page header with the size %d", n)
	}
	*to = n
	return err
}

// dataPage decodes the struct of a data page; that of a dictionary page begins
// with the same two fields, and its third is no number.
func (c *compact) dataPage(h *PageHeader) error {
	return c.fields(func(id int32, typ byte) error {
		if typ == typeI32 {
			switch id {
			case 1:
				return c.size(&h.Values)
			case 2:
				return c.kind(&h.Encoding)
			case 3:
				return c.kind(&h.Levels)
			}
		}
		return c.skip(typ, 0)
	})
}

func (c *compact) dataPageV2(h *PageHeader) error {
	return c.fields(func(id int32, typ byte) error {
		switch {
		case typ == typeI32 && id == 1:
			return c.size(&h.Values)
		case typ == typeI32 && id == 4:
			return c.kind(&h.Encoding)
		case typ == typeI32 && id == 5:
			return c.size(&h.DefinitionBytes)
		case typ == typeI32 && id == 6:
			return c.size(&h.RepetitionBytes)
		case (typ == typeTrue || typ == typeFalse) && id == 7:
			h.Compressed = typ == typeTrue
			return nil
		}
		return c.skip(typ, 0)
	})
}

func (c *compact) kind(to *Kind) error {
	n, err := c.int32()
	*to = Kind(n)
	return err
}
