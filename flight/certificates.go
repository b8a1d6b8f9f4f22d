package flight

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"sync/atomic"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// CertificateFiles name PEM files.
type CertificateFiles struct {
	// Cert and Key are the server's chain and its unencrypted key.
	Cert, Key string
	// ClientCA, if set, is who must have issued the certificate of every client.
	ClientCA string
}

// Certificates are what a server shows and demands. They can be exchanged while
// it runs: connections that are open stay open with what they began with.
type Certificates struct {
	files   CertificateFiles
	current atomic.Pointer[loaded]
}

type loaded struct {
	config *tls.Config
	stamps [3]stamp
}

// stamp is how a file was when it was read.
type stamp struct {
	at   time.Time
	size int64
}

// LoadCertificates reads the files.
func LoadCertificates(f CertificateFiles) (*Certificates, error) {
	c := &Certificates{files: f}
	return c, c.Reload()
}

// Reload reads the files again. If they do not fit each other, the ones read
// before stay.
func (c *Certificates) Reload() error {
	l := &loaded{stamps: c.stamps()}
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return base.Errorf(base.CodeInvalid, "the certificate %s with the key %s", c.files.Cert, c.files.Key).Because(err).
			WithHint("--tls-cert and --tls-key name PEM files that belong together; the key has no password")
	}
	l.config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}
	if c.files.ClientCA != "" {
		text, err := os.ReadFile(c.files.ClientCA)
		if err != nil {
			return base.Errorf(base.CodeInvalid, "the authority of clients").Because(err)
		}
		l.config.ClientCAs, l.config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !l.config.ClientCAs.AppendCertsFromPEM(text) {
			return base.Errorf(base.CodeInvalid, "the authority of clients %s has no PEM certificate", c.files.ClientCA)
		}
	}
	c.current.Store(l)
	return nil
}

// Changed reports whether a file is another than the one that was read.
func (c *Certificates) Changed() bool { return c.stamps() != c.current.Load().stamps }

func (c *Certificates) stamps() (out [3]stamp) {
	for i, name := range []string{c.files.Cert, c.files.Key, c.files.ClientCA} {
		if st, err := os.Stat(name); err == nil {
			out[i] = stamp{st.ModTime(), st.Size()}
		}
	}
	return out
}

// config asks for what is current at every new connection.
func (c *Certificates) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current.Load().config, nil }}
}
