//go:build long

package kafkatest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// version is that of the broker.
const version = "4.3.1"

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>flightd</groupId><artifactId>broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>` + version + `</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>` + version + `</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
`

// Broker is a real Kafka broker and controller in one process.
type Broker struct {
	// Address is host:port.
	Address string
	t       testing.TB
	libs    string
	dir     string
	cmd     *exec.Cmd
}

// NewBroker gets Kafka with Maven, once, into bin of this module, and starts a
// broker with an empty log. It needs Java 17 and mvn.
func NewBroker(t testing.TB) *Broker {
	t.Helper()
	b := &Broker{t: t, libs: libs(t), dir: t.TempDir()}
	client, controller := freePort(t), freePort(t)
	b.Address = fmt.Sprintf("127.0.0.1:%d", client)
	properties := fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[2]d
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=%[3]s
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
min.insync.replicas=1
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=200
log.retention.check.interval.ms=500
auto.create.topics.enable=false
`, client, controller, filepath.Join(b.dir, "logs"))
	if err := os.WriteFile(b.properties(), []byte(properties), 0o600); err != nil {
		t.Fatal(err)
	}
	id := strings.Fields(b.java("kafka.tools.StorageTool", "random-uuid"))
	b.java("kafka.tools.StorageTool", "format", "-t", id[len(id)-1], "-c", b.properties())
	t.Cleanup(b.Kill)
	b.Start()
	return b
}

func (b *Broker) properties() string { return filepath.Join(b.dir, "server.properties") }

func (b *Broker) java(class string, args ...string) string {
	b.t.Helper()
	out, err := exec.Command("java", append([]string{"-XX:TieredStopAtLevel=1", "-cp", b.libs + "/*", class}, args...)...).Output()
	if err != nil {
		b.t.Fatalf("%s %v: %v: %s", class, args, err, out)
	}
	return string(out)
}

// Start starts the broker on its log and waits until it answers.
func (b *Broker) Start() {
	b.t.Helper()
	log, err := os.Create(filepath.Join(b.dir, "broker.log"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer log.Close()
	b.cmd = exec.Command("java", "-Xms384m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", b.libs+"/*", "kafka.Kafka", b.properties())
	b.cmd.Stdout, b.cmd.Stderr = log, log
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		c := NewClient(b.t, b.Address)
		_, err := c.Admin().ListTopics(b.t.Context())
		c.Close()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			b.t.Fatalf("the broker does not answer: %v\n%s", err, text)
		}
	}
}

// Kill ends the broker with kill -9.
func (b *Broker) Kill() {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
	b.cmd = nil
}

// libs returns the folder of Kafka's jars.
func libs(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	home := filepath.Join(dir, "bin", "kafka-"+version)
	done := filepath.Join(home, "libs")
	if _, err := os.Stat(done); err == nil {
		return done
	}
	// Another test may be at it: the folder gets its name when it is whole.
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(home, "get")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), []byte(pom), 0o600); err != nil {
		t.Fatal(err)
	}
	mvn := exec.Command("mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(work, "libs"))
	mvn.Dir = work
	if out, err := mvn.CombinedOutput(); err != nil {
		t.Fatalf("getting Kafka %s: %v\n%s", version, err, out)
	}
	if err := os.Rename(filepath.Join(work, "libs"), done); err != nil && !os.IsExist(err) {
		if _, there := os.Stat(done); there != nil {
			t.Fatal(err)
		}
	}
	return done
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
