package flight

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

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// authority issues certificates for 127.0.0.1.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
	n    int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, n: time.Now().UnixNano()}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

// issue returns a certificate with its key as PEM.
func (a *authority) issue(t *testing.T) (cert, key []byte, serial *big.Int) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.n++
	c := &x509.Certificate{SerialNumber: big.NewInt(a.n), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), c.SerialNumber
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(a.pem)
	return p
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func dialTLS(t *testing.T, addr string, config *tls.Config) *flightsql.Client {
	t.Helper()
	c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// serial returns the number of the certificate that a new connection sees.
func serial(t *testing.T, addr string, config *tls.Config) *big.Int {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber
}

// A certificate is exchanged while connections stay open and a statement runs;
// one that cannot be read is not taken.
func TestCertificateReload(t *testing.T) {
	ca, dir := newAuthority(t), t.TempDir()
	files := CertificateFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	cert, key, first := ca.issue(t)
	put(t, files.Cert, cert)
	put(t, files.Key, key)
	certs, err := LoadCertificates(files)
	if err != nil {
		t.Fatal(err)
	}
	s, addr := serve(t, newFake(), Options{Certificates: certs, Quiet: 20 * time.Millisecond})
	config := &tls.Config{RootCAs: ca.pool()}
	c := dialTLS(t, addr, config)
	set(t, c, bg, "k", "1")
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	info, err := c.Execute(ctx, "WAIT")
	if err != nil {
		t.Fatal(err)
	}
	running, err := c.Client.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := running.Recv(); err != nil {
		t.Fatal(err)
	}
	if got := serial(t, addr, config); got.Cmp(first) != 0 || s.Changed() {
		t.Fatalf("got certificate %v of %v", got, first)
	}
	cert, key, second := ca.issue(t)
	put(t, files.Cert, cert) // the key does not fit yet
	eventually(t, s.Changed)
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Fatalf("half a change: %v", err)
	}
	if got := serial(t, addr, config); got.Cmp(first) != 0 {
		t.Fatalf("half a change was taken: %v", got)
	}
	put(t, files.Key, key)
	if err := s.Reload(); err != nil || s.Changed() {
		t.Fatal(err)
	}
	if got := serial(t, addr, config); got.Cmp(second) != 0 {
		t.Fatalf("got certificate %v, want %v", got, second)
	}
	// The session of the old connection is still there: it was not cut.
	if got := setting(t, c, bg, "k"); got != "1" {
		t.Fatalf("the connection was cut: %q", got)
	}
	for range 3 {
		if _, err := running.Recv(); err != nil {
			t.Fatalf("the statement was cut: %v", err)
		}
	}
	// Plain text does not get through, nor does old TLS.
	if _, err := dial(t, addr).Execute(bg, "NUMBERS 1"); status.Code(err) != codes.Unavailable {
		t.Fatalf("plain text: %v", err)
	}
	if c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: ca.pool(), MaxVersion: tls.VersionTLS11}); err == nil {
		c.Close()
		t.Fatal("TLS 1.1 is spoken")
	}
}

// With an authority of clients only those with its certificate get as far as a
// call.
func TestClientCertificates(t *testing.T) {
	ca, clients, others, dir := newAuthority(t), newAuthority(t), newAuthority(t), t.TempDir()
	files := CertificateFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem")}
	cert, key, _ := ca.issue(t)
	put(t, files.Cert, cert)
	put(t, files.Key, key)
	put(t, files.ClientCA, clients.pem)
	certs, err := LoadCertificates(files)
	if err != nil {
		t.Fatal(err)
	}
	f := newFake()
	s, addr := serve(t, f, Options{Certificates: certs})
	as := func(a *authority) *tls.Config {
		config := &tls.Config{RootCAs: ca.pool()}
		if a != nil {
			cert, key, _ := a.issue(t)
			pair, err := tls.X509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			config.Certificates = []tls.Certificate{pair}
		}
		return config
	}
	try := func(a *authority) error {
		ctx, cancel := context.WithTimeout(bg, 2*time.Second)
		defer cancel()
		_, err := dialTLS(t, addr, as(a)).Execute(ctx, "NUMBERS 1")
		return err
	}
	if err := try(clients); err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*authority{"no": nil, "another authority's": others, "the server's authority's": ca} {
		if err := try(a); err == nil {
			t.Errorf("with %s certificate: in", name)
		}
	}
	if f.sessions.Load() != 1 {
		t.Errorf("there were %d sessions", f.sessions.Load())
	}
	put(t, files.ClientCA, others.pem)
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if err := try(others); err != nil {
		t.Errorf("the new authority: %v", err)
	}
	if err := try(clients); err == nil {
		t.Error("the old authority holds on")
	}
	for name, broken := range map[string]CertificateFiles{
		"is not there":          {Cert: "none", Key: files.Key},
		"no PEM certificate":    {Cert: files.Cert, Key: files.Key, ClientCA: files.Key},
		"the certificate " + "": {Cert: files.Key, Key: files.Cert},
		"authority of clients":  {Cert: files.Cert, Key: files.Key, ClientCA: "none"},
	} {
		if _, err := LoadCertificates(broken); err == nil || name != "is not there" && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
