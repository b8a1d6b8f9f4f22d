// Command main plays golden recordings and prints what passed, per family, and
// the first difference of each case that failed. It exits with 1 if a claim of
// CLAIMED does not hold.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flightd/flightd/internal/golden"
)

func main() {
	root := flag.String("golden", "testdata/golden", "folder with streaming/, CLAIMED and KNOWN_GAPS")
	streaming := flag.String("streaming", "", "another folder of streaming recordings; claims are not checked")
	sql := flag.String("sql", "", "play this folder of SQL recordings instead")
	only := flag.String("only", "", "only cases whose family/name begins so")
	plain := flag.Bool("plain", false, "with the rules for speed switched off")
	quiet := flag.Bool("quiet", false, "no differences, only the table")
	flag.Parse()
	if err := run(*root, *streaming, *sql, *only, *quiet, *plain); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root, streaming, sql, only string, quiet, plain bool) error {
	gaps, err := golden.ReadGaps(filepath.Join(root, "KNOWN_GAPS"))
	if err != nil {
		return err
	}
	if sql != "" {
		r, err := golden.SQL(context.Background(), sql, gaps, only)
		if err != nil {
			return err
		}
		r.Print(os.Stdout, !quiet)
		if streaming == "" {
			return nil
		}
	}
	own := streaming == "" && only == ""
	if streaming == "" {
		streaming = filepath.Join(root, "streaming")
	}
	settings := map[string]string{}
	if plain {
		settings["flightd.speedRules.enabled"] = "false"
	}
	r, err := golden.Streaming(context.Background(), streaming, gaps, only, golden.Variant{Settings: settings})
	if err != nil {
		return err
	}
	r.Print(os.Stdout, !quiet)
	if !own {
		return nil
	}
	claims, err := golden.ReadClaims(filepath.Join(root, "CLAIMED"))
	if err != nil {
		return err
	}
	broken := r.Check(claims)
	for _, b := range broken {
		fmt.Println("CLAIM BROKEN:", b)
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d claims do not hold", len(broken))
	}
	return nil
}
