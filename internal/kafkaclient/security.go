package kafkaclient

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
)

// saslSettings are how a client says who it is.
type saslSettings struct{ mechanism, user, password string }

// tlsSettings are PEM texts or files; texts win.
type tlsSettings struct {
	trustFile, trustPEM      string
	keyFile, keyPEM, certPEM string
	insecureName             bool
}

func securityKeys() []key {
	text := func(name string, field func(*Settings) *string) key {
		return key{name: name, role: both, set: func(s *Settings, v string) error { *field(s) = v; return nil }}
	}
	store := func(name string) key {
		return key{name: name, role: both, set: func(_ *Settings, v string) error {
			if !strings.EqualFold(v, "PEM") {
				return base.Errorf(base.CodeInvalid, "%q is not supported, only PEM", v).WithHint("convert it: keytool -exportcert -rfc, or openssl pkcs12")
			}
			return nil
		}}
	}
	return []key{
		{name: "security.protocol", role: both, set: func(s *Settings, v string) error {
			switch strings.ToUpper(v) {
			case "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL":
				s.auth, s.useTLS = strings.HasPrefix(strings.ToUpper(v), "SASL"), strings.HasSuffix(strings.ToUpper(v), "SSL")
				return nil
			}
			return base.Errorf(base.CodeInvalid, "%q is not PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", v)
		}},
		{name: "sasl.mechanism", role: both, set: func(s *Settings, v string) error {
			switch strings.ToUpper(v) {
			case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
				s.sasl.mechanism = strings.ToUpper(v)
				return nil
			}
			return base.Errorf(base.CodeInvalid, "%q is not PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", v)
		}},
		{name: "sasl.jaas.config", role: both, set: func(s *Settings, v string) error {
			var err error
			s.sasl.user, s.sasl.password, err = parseJAAS(v)
			return err
		}},
		text("ssl.truststore.location", func(s *Settings) *string { return &s.tls.trustFile }),
		text("ssl.truststore.certificates", func(s *Settings) *string { return &s.tls.trustPEM }),
		text("ssl.keystore.location", func(s *Settings) *string { return &s.tls.keyFile }),
		text("ssl.keystore.key", func(s *Settings) *string { return &s.tls.keyPEM }),
		text("ssl.keystore.certificate.chain", func(s *Settings) *string { return &s.tls.certPEM }),
		store("ssl.truststore.type"), store("ssl.keystore.type"),
		{name: "ssl.endpoint.identification.algorithm", role: both, set: func(s *Settings, v string) error {
			if v != "" && !strings.EqualFold(v, "https") {
				return base.Errorf(base.CodeInvalid, "%q is neither https nor empty", v)
			}
			s.tls.insecureName = v == ""
			return nil
		}},
		{name: "ssl.key.password", role: both, refused: "give the key without a password, readable by the server alone."},
		{name: "ssl.truststore.password", role: both, refused: "a PEM file has none."},
		{name: "ssl.keystore.password", role: both, refused: "a PEM file has none."},
		{name: "sasl.login.callback.handler.class", role: both, refused: "it names a Java class."},
		{name: "sasl.client.callback.handler.class", role: both, refused: "it names a Java class."},
		{name: "sasl.oauthbearer.token.endpoint.url", role: both, refused: "an option may not make the server call other hosts."},
		{name: "sasl.kerberos.service.name", role: both, refused: "Kerberos is not supported."},
	}
}

// secure checks that what security.protocol asks for is there, and loads it.
func (s *Settings) secure(disk *roots.Set) error {
	if s.auth && (s.sasl.user == "" || s.sasl.mechanism == "") {
		return base.Errorf(base.CodeInvalid, "kafka.security.protocol asks for SASL, but kafka.sasl.mechanism or kafka.sasl.jaas.config is missing")
	}
	if !s.useTLS {
		return nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	trust, err := pemOf(disk, "ssl.truststore.location", s.tls.trustPEM, s.tls.trustFile)
	if err != nil {
		return err
	}
	if trust != nil {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(trust) {
			return base.Errorf(base.CodeInvalid, "kafka.ssl.truststore: there is no PEM certificate in it")
		}
	}
	if cert, err := pemOf(disk, "ssl.keystore.location", s.tls.certPEM, s.tls.keyFile); err != nil {
		return err
	} else if cert != nil {
		private := cert
		if s.tls.keyPEM != "" {
			private = []byte(s.tls.keyPEM)
		}
		pair, err := tls.X509KeyPair(cert, private)
		if err != nil {
			return base.Errorf(base.CodeInvalid, "kafka.ssl.keystore: it is not a PEM certificate with its unencrypted key")
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if s.tls.insecureName {
		trustAnyName(cfg)
	}
	s.tlsConfig = cfg
	return nil
}

// trustAnyName accepts a certificate that a trusted authority issued for any
// host, as an empty ssl.endpoint.identification.algorithm asks for.
func trustAnyName(cfg *tls.Config) {
	cfg.InsecureSkipVerify = true
	cfg.VerifyConnection = func(st tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: cfg.RootCAs, Intermediates: x509.NewCertPool()}
		for _, c := range st.PeerCertificates[1:] {
			opts.Intermediates.AddCert(c)
		}
		_, err := st.PeerCertificates[0].Verify(opts)
		return err
	}
}

func pemOf(disk *roots.Set, name, text, file string) ([]byte, error) {
	if text != "" || file == "" {
		if text == "" {
			return nil, nil
		}
		return []byte(text), nil
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, base.Wrap(err, "option kafka.%s", name)
	}
	b, err := disk.ReadFile(path)
	if base.CodeOf(err) == base.CodeDenied {
		return nil, base.Wrap(err, "option kafka.%s", name)
	}
	if err != nil {
		return nil, base.Errorf(base.CodeInvalid, "option kafka.%s: the file cannot be read", name)
	}
	return b, nil
}

func (s *Settings) mechanism() sasl.Mechanism {
	if s.sasl.mechanism == "PLAIN" {
		return plain.Auth{User: s.sasl.user, Pass: s.sasl.password}.AsMechanism()
	}
	auth := scram.Auth{User: s.sasl.user, Pass: s.sasl.password}
	if s.sasl.mechanism == "SCRAM-SHA-512" {
		return auth.AsSha512Mechanism()
	}
	return auth.AsSha256Mechanism()
}
