package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitter(t *testing.T) {
	for text, want := range map[string][]string{
		"SELECT 1;":                              {"SELECT 1"},
		"SELECT 1; SELECT 2;":                    {"SELECT 1", "SELECT 2"},
		"SELECT\n1\n;":                           {"SELECT\n1"},
		"SELECT ';' ; SELECT \";\";":             {"SELECT ';'", `SELECT ";"`},
		"SELECT 'it\\'s; fine';":                 {`SELECT 'it\'s; fine'`},
		"SELECT 'it''s; fine';":                  {"SELECT 'it''s; fine'"},
		"SELECT `a;b`;":                          {"SELECT `a;b`"},
		"-- a; comment\nSELECT 1;":               {"-- a; comment\nSELECT 1"},
		"/* a; comment\n; */ SELECT 1; /* ; */;": {"/* a; comment\n; */ SELECT 1"},
		";;;":                                    nil,
		"-- nothing;\n;":                         nil,
		"SELECT 1":                               {"SELECT 1"},
		"":                                       nil,
		"SELECT 'open":                           {"SELECT 'open"},
	} {
		var sp splitter
		var got []string
		for line := range strings.SplitSeq(text, "\n") {
			got = append(got, sp.add(line)...)
		}
		if last := sp.rest(); last != "" {
			got = append(got, last)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add("SELECT ';'; -- x;\n/* ; */ SELECT `a`;\"\\\";")
	f.Fuzz(func(t *testing.T, text string) {
		var sp splitter
		for line := range strings.SplitSeq(text, "\n") {
			for _, stmt := range sp.add(line) {
				if stmt != strings.TrimSpace(stmt) || statementEnd(stmt) >= 0 {
					t.Fatalf("%q gives the statement %q", text, stmt)
				}
			}
		}
		sp.rest()
		if sp.waiting() {
			t.Fatal("something is left after the rest")
		}
	})
}

func TestURIs(t *testing.T) {
	for uri, want := range map[string]struct {
		addr string
		tls  bool
	}{
		"127.0.0.1:8815":                    {"127.0.0.1:8815", false},
		"grpc://h:1":                        {"h:1", false},
		"grpc+tcp://h:1":                    {"h:1", false},
		"grpc+tls://h:1":                    {"h:1", true},
		"flightsql://h:1":                   {"h:1", true},
		"flightsql://h:1?transport=tcp":     {"h:1", false},
		"flightsql://u:p@h:1?transport=tcp": {"h:1", false},
	} {
		addr, tls, err := parseURI(uri)
		if err != nil || addr != want.addr || tls != want.tls {
			t.Errorf("%s gives %s, %v, %v", uri, addr, tls, err)
		}
	}
	for _, uri := range []string{"http://h:1", "grpc://"} {
		if _, _, err := parseURI(uri); err == nil {
			t.Errorf("%s is taken", uri)
		}
	}
}
