package workload

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/flightd/flightd/bench/proc"
)

// queries are the 22 of TPC-H with the parameters of its validation.
//
//go:embed tpch/*.sql
var queries embed.FS

// tpchTables are its tables, the largest first.
var tpchTables = []string{"lineitem", "orders", "partsupp", "part", "customer", "supplier", "nation", "region"}

// tpchRows is how many rows lineitem has at scale 1.
const tpchRows = 6_001_215

// quotients are what Spark divides in decimals of six places, which its AVG is too,
// and DuckDB in doubles.
var quotients = map[string][][2]string{
	"q01": {{"avg(l_quantity)", "CAST(avg(l_quantity) AS DECIMAL(19, 6))"}, {"avg(l_extendedprice)", "CAST(avg(l_extendedprice) AS DECIMAL(19, 6))"},
		{"avg(l_discount)", "CAST(avg(l_discount) AS DECIMAL(19, 6))"}},
	"q08": {{"sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume)",
		"CAST(sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS DECIMAL(38, 6))"}},
	"q14": {{"SELECT 100.00", "SELECT CAST(100.00"}, {"sum(l_extendedprice * (1 - l_discount)) AS", "sum(l_extendedprice * (1 - l_discount)) AS DECIMAL(38, 6)) AS"}},
	"q17": {{"sum(l_extendedprice) / 7.0", "CAST(sum(l_extendedprice) / 7.0 AS DECIMAL(38, 6))"}},
}

// tpch are the queries of TPC-H at scale 1, from files.
func tpch() []Workload {
	names, err := queries.ReadDir("tpch")
	if err != nil {
		panic(err) // of a folder that is part of the program
	}
	var out []Workload
	for _, f := range names {
		text, err := queries.ReadFile("tpch/" + f.Name())
		if err != nil {
			panic(err)
		}
		name := strings.TrimSuffix(f.Name(), ".sql")
		duck := string(text)
		for _, r := range quotients[name] {
			duck = strings.ReplaceAll(duck, r[0], r[1])
		}
		out = append(out, Workload{Name: "w15_" + name, Title: "TPC-H " + name, Forms: []Form{Files}, SQL: string(text), DuckDB: []string{duck}, TPCH: 1})
	}
	return out
}

// tpchSpec makes the tables with tpchgen-cli, a folder each, unless they are there.
func tpchSpec(spec *proc.Spec, scale float64, d Data) (*proc.Spec, error) {
	size := strconv.FormatFloat(scale, 'g', -1, 64)
	folder := filepath.Join(d.Dir, "tpch-"+size)
	if _, err := os.Stat(folder); err != nil {
		if err := makeTPCH(folder, size, d); err != nil {
			return nil, fmt.Errorf("generating TPC-H: %w", err)
		}
	}
	spec.Rows = int(tpchRows * scale)
	for _, t := range tpchTables {
		spec.Tables = append(spec.Tables, proc.Table{Name: t, Path: filepath.Join(folder, t), Format: "parquet"})
	}
	return spec, nil
}

func makeTPCH(folder, size string, d Data) error {
	made, err := os.MkdirTemp(d.Dir, "making-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	cmd := exec.Command(filepath.Join(d.Home, ".venv-peers", "bin", "tpchgen-cli"), "parquet", "-s", size, "--output-dir="+made)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, t := range tpchTables {
		if err := os.Mkdir(filepath.Join(made, t), 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(made, t+".parquet"), filepath.Join(made, t, "00000.parquet")); err != nil {
			return err
		}
	}
	return os.Rename(made, folder)
}
