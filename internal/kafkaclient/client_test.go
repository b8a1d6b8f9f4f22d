package kafkaclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/flightd/flightd/internal/base"
)

// ask sends one request with the options and returns its error.
func ask(t *testing.T, o base.Options) error {
	t.Helper()
	o["kafka.default.api.timeout.ms"] = "2000"
	s, err := Parse("source kafka", Consumer, o, nil)
	if err != nil {
		return err
	}
	cl, err := s.Open()
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := s.Limit(t.Context())
	defer cancel()
	_, err = Await(ctx, func(ctx context.Context) (*kmsg.MetadataResponse, error) {
		return kmsg.NewPtrMetadataRequest().RequestWith(ctx, cl.Client)
	})
	return s.Error(t.Context(), err, "asking")
}

func cluster(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return strings.Join(c.ListenAddrs(), ",")
}

func TestSASL(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		broker := cluster(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "user", `pa"ss`))
		module := "org.apache.kafka.common.security.plain.PlainLoginModule"
		if mechanism != "PLAIN" {
			module = "org.apache.kafka.common.security.scram.ScramLoginModule"
		}
		options := func(password string) base.Options {
			return base.Options{"kafka.bootstrap.servers": broker, "kafka.security.protocol": "SASL_PLAINTEXT", "kafka.sasl.mechanism": mechanism,
				"kafka.sasl.jaas.config": module + ` required username="user" password="` + password + `";`}
		}
		if err := ask(t, options(`pa\"ss`)); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
		if err := ask(t, options("wrong-word")); err == nil || strings.Contains(err.Error(), "wrong-word") {
			t.Errorf("%s with a wrong password: %v", mechanism, err)
		}
	}
}

// authority is a certificate for 127.0.0.1 that trusts itself.
func authority(t *testing.T) (tls.Certificate, []byte, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.ParseIP("127.0.0.1")}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair, certPEM, keyPEM
}

func TestTLS(t *testing.T) {
	pair, certPEM, keyPEM := authority(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	broker := cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}))
	file := filepath.Join(t.TempDir(), "trust.pem")
	if err := os.WriteFile(file, certPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		with base.Options
		ok   bool
	}{
		{"a trusted file", base.Options{"kafka.ssl.truststore.location": file}, true},
		{"a trusted text", base.Options{"kafka.ssl.truststore.certificates": string(certPEM), "kafka.ssl.truststore.type": "PEM"}, true},
		{"a client certificate", base.Options{"kafka.ssl.truststore.location": file, "kafka.ssl.keystore.certificate.chain": string(certPEM), "kafka.ssl.keystore.key": string(keyPEM)}, true},
		{"no trust", base.Options{}, false},
		{"any host name, but no trust", base.Options{"kafka.ssl.endpoint.identification.algorithm": ""}, false},
		{"any host name", base.Options{"kafka.ssl.truststore.location": file, "kafka.ssl.endpoint.identification.algorithm": ""}, true},
		{"no such file", base.Options{"kafka.ssl.truststore.location": file + "x"}, false},
		{"a file of something else", base.Options{"kafka.ssl.truststore.certificates": "secret text"}, false},
		{"a Java store", base.Options{"kafka.ssl.truststore.location": file, "kafka.ssl.truststore.type": "JKS"}, false},
	} {
		c.with["kafka.bootstrap.servers"], c.with["kafka.security.protocol"] = broker, "SSL"
		err := ask(t, c.with)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret text") {
			t.Errorf("%s: the error shows the content: %v", c.name, err)
		}
	}
}

func TestLoginModules(t *testing.T) {
	for line, want := range map[string]string{
		`a.PlainLoginModule required username="u" password="p";`:         "u p",
		`a.b.ScramLoginModule  required  password='p q'  username = "u"`: "u p q",
		`a.PlainLoginModule required username="u\"x";`:                   `u"x `,
	} {
		user, password, err := parseJAAS(line)
		if err != nil || user+" "+password != want {
			t.Errorf("%s: got %q %q, %v", line, user, password, err)
		}
	}
	for _, line := range []string{"", "PlainLoginModule", "a.PlainLoginModule required", `a.JndiLoginModule required username="u";`, `a.PlainLoginModule required username="u`, `a.PlainLoginModule required username=u;`, `a.PlainLoginModule optional username="u";`} {
		if _, _, err := parseJAAS(line); err == nil {
			t.Errorf("%s is accepted", line)
		} else if strings.Contains(err.Error(), `"u`) {
			t.Errorf("the error shows the line: %v", err)
		}
	}
}

func FuzzLoginModule(f *testing.F) {
	f.Add(`a.PlainLoginModule required username="u\"" password='p';`)
	f.Fuzz(func(t *testing.T, line string) {
		if user, _, err := parseJAAS(line); err == nil && user == "" {
			t.Errorf("%q has no user", line)
		}
	})
}

func TestKeys(t *testing.T) {
	parse := func(role Role, pairs ...string) (*Settings, error) {
		o := base.Options{"kafka.bootstrap.servers": " a:1 , b:2,"}
		for i := 0; i < len(pairs); i += 2 {
			o[pairs[i]] = pairs[i+1]
		}
		return Parse("here", role, o, nil)
	}
	s, err := parse(Consumer, "kafka.FETCH.max.bytes", "1000", "kafka.isolation.level", "read_committed", "kafka.request.timeout.ms", "250", "kafka.check.crcs", "false", "kafka.session.timeout.ms", "x")
	if err != nil || strings.Join(s.Servers, " ") != "a:1 b:2" || s.FetchMaxBytes != 1000 || !s.ReadCommitted || s.RequestTimeout != 250*time.Millisecond || s.CheckCRC {
		t.Errorf("got %+v, %v", s, err)
	}
	for _, c := range []struct {
		role       Role
		key, value string
		want       string
	}{
		{Consumer, "kafka.fetch.max.bytes", "0", "from 1 to"}, {Consumer, "kafka.fetch.max.bytes", "9999999999", "from 1 to"}, {Consumer, "kafka.fetch.max.wait.ms", "1s", `"1s"`},
		{Consumer, "kafka.security.protocol", "TLS", "PLAINTEXT"}, {Consumer, "kafka.sasl.mechanism", "OAUTHBEARER", "OAUTHBEARER"}, {Consumer, "kafka.security.protocol", "SASL_SSL", "missing"},
		{Consumer, "kafka.sasl.oauthbearer.token.endpoint.url", "file:///etc/passwd", "not supported"}, {Producer, "kafka.transactional.id", "x", "not supported"},
		{Producer, "kafka.enable.idempotence", "false", "twice"}, {Producer, "kafka.fetch.max.byte", "5", "no option"}, {Producer, "kafka.max.in.flight.requests.per.connection", "6", "from 1 to 5"},
	} {
		if _, err := parse(c.role, c.key, c.value); base.CodeOf(err) != base.CodeInvalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: got %v, want %q", c.key, c.value, err, c.want)
		}
	}
	if _, err := parse(Producer, "kafka.fetch.max.bytes", "x", "kafka.auto.offset.reset", "latest"); err != nil {
		t.Errorf("settings of a consumer in a producer: %v", err)
	}
	if s, err := parse(Producer, "kafka.acks", "-1", "kafka.enable.idempotence", "TRUE"); err != nil || s == nil {
		t.Errorf("acks=-1: %v", err)
	}
}

// Close ends a connection whose broker never says a word.
func TestCloseLeavesNothing(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	before := goleak.IgnoreCurrent()
	if err := ask(t, base.Options{"kafka.bootstrap.servers": silent.Addr().String()}); base.CodeOf(err) != base.CodeUnavailable {
		t.Errorf("got %v", err)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
