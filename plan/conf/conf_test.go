package conf

import (
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
)

// Every row is whole: a kind, a reason where it needs one, a default of its kind.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		name := strings.ToLower(k.Name)
		if seen[name] {
			t.Errorf("%s stands twice", k.Name)
		}
		seen[name] = true
		if (k.Status == Heeded) != (k.Why == "") {
			t.Errorf("%s: status %d with reason %q", k.Name, k.Status, k.Why)
		}
		if k.Default != "" {
			if err := k.checkForm(k.Default); err != nil {
				t.Errorf("%s: its default: %v", k.Name, err)
			}
			if _, err := Check(k.Name, k.Default); err != nil {
				t.Errorf("%s: its default is refused: %v", k.Name, err)
			}
		}
		if k.Kind == Enum && len(k.Values) < 2 {
			t.Errorf("%s: the kind %q is unknown", k.Name, k.Values)
		}
	}
	for letter, why := range reasons {
		used := false
		for _, k := range Keys() {
			used = used || k.Why == why
		}
		if !used {
			t.Errorf("no setting has the reason %q", letter)
		}
	}
}

func TestCheck(t *testing.T) {
	const prefix = "spark.sql.streaming."
	for _, c := range []struct{ key, value, notice, condition, hint string }{
		{"spark.sql.ansi.enabled", "FALSE", "", "", ""},
		{"SPARK.SQL.ANSI.ENABLED", " true ", "", "", ""},
		{"spark.sql.ansi.enabled", "yes", "", "INVALID_CONF_VALUE.TYPE_MISMATCH", "default"},
		{"spark.sql.ansi.enabled", "'true'", "", "INVALID_CONF_VALUE.TYPE_MISMATCH", "without quotes"},
		{"spark.sql.ansi.enable", "true", "", "INVALID_CONF_KEY", "spark.sql.ansi.enabled"},
		{"shuffle.partitions", "3", "", "INVALID_CONF_KEY", "spark.sql.shuffle.partitions"},
		{"no.such.thing", "3", "", "INVALID_CONF_KEY", "SET -v"},
		{"spark.sql.shuffle.partitions", "3", "splits state by itself", "", ""},
		{"spark.sql.shuffle.partitions", "three", "", "INVALID_CONF_VALUE.TYPE_MISMATCH", "200"},
		{"spark.sql.session.timeZone", "Europe/Berlin", "", "", ""},
		{"spark.sql.session.timeZone", "+05:30", "", "", ""},
		{"spark.sql.session.timeZone", "LOCAL", "", "", ""},
		{"spark.sql.session.timeZone", "Europe/Berlim", "", "INVALID_CONF_VALUE.TIME_ZONE", "Europe/Berlin"},
		{"spark.sql.caseSensitive", "false", "", "", ""},
		{"spark.sql.caseSensitive", "true", "", "INVALID_CONF_VALUE.REQUIREMENT", "unset"},
		{"spark.sql.legacy.timeParserPolicy", "LEGACI", "", "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS", "LEGACY"},
		{"spark.sql.legacy.sizeOfNull", "false", "", "", ""},
		{"spark.sql.legacy.sizeOfNull", "true", "", "INVALID_CONF_VALUE.REQUIREMENT", ""},
		{prefix + "stateStore.rocksdb.blockCacheSizeMB", "16", "keeps state in its own store", "", ""},
		{prefix + "multipleWatermarkPolicy", "max", "", "", ""},
		{prefix + "multipleWatermarkPolicy", "avg", "", "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS", "max"},
		{prefix + "pollingDelay", "5 minutes", "", "", ""},
		{prefix + "pollingDelay", "soon", "", "INVALID_CONF_VALUE.TYPE_MISMATCH", "10ms"},
		{"spark.sql.files.maxPartitionBytes", "64m", "plans queries in its own way", "", ""},
		{"spark.sql.files.maxPartitionBytes", "9223372036854775807t", "", "INVALID_CONF_VALUE.TYPE_MISMATCH", ""},
		{"spark.executor.memory", "4g", "one process", "", ""},
		{"flightd.batchRows", "1024", "", "", ""},
		{"flightd.batchRow", "1024", "", "INVALID_CONF_KEY", "flightd.batchRows"},
	} {
		notice, err := Check(c.key, c.value)
		if (c.notice == "") != (notice == "") || !strings.Contains(notice, c.notice) {
			t.Errorf("%s=%s: notice %q, want %q", c.key, c.value, notice, c.notice)
		}
		if c.condition == "" {
			if err != nil {
				t.Errorf("%s=%s: %v", c.key, c.value, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s=%s: no error, want %s", c.key, c.value, c.condition)
			continue
		}
		if e := base.AsError(err); e.Condition != c.condition || e.SQLState == "" || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s=%s: [%s] %s, hint %q; want %s, %q", c.key, c.value, e.Condition, e.SQLState, e.Hint, c.condition, c.hint)
		}
	}
}

func TestGetters(t *testing.T) {
	c := catalog.Conf{}
	if d := DurationOf(c, "spark.sql.streaming.noDataProgressEventInterval"); d != 10*time.Second {
		t.Errorf("default length of time %v", d)
	}
	c["spark.sql.streaming.nodataprogresseventinterval"] = "3s"
	if d := DurationOf(c, "spark.sql.streaming.noDataProgressEventInterval"); d != 3*time.Second {
		t.Errorf("length of time %v", d)
	}
	if !BoolOf(c, "spark.sql.ansi.enabled") || IntOf(c, "flightd.batchRows") != 8192 || StringOf(c, "spark.sql.session.timeZone") != "UTC" ||
		SizeOf(c, "spark.sql.files.maxPartitionBytes") != 128<<20 {
		t.Error("a default is wrong")
	}
	if d := Dialect(c); d.Zone != nil || d.NTZ || d.DoubleQuotedNames {
		t.Errorf("default dialect %+v", d)
	}
	c["spark.sql.session.timezone"] = "-08:00"
	c["spark.sql.timestamptype"] = "timestamp_ntz"
	if d := Dialect(c); d.Zone == nil || !d.NTZ {
		t.Errorf("dialect %+v", d)
	}
}
