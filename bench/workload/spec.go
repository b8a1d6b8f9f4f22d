package workload

import (
	"github.com/flightd/flightd/bench/gen"
	"github.com/flightd/flightd/bench/proc"
)

// Data says which rows are generated and where their files are kept.
type Data struct {
	Dir     string
	Seed    uint64
	Rows    int
	PerFile int
	// Small makes files of a tenth of the size as well, for streams.
	Small bool
	// Home is the folder of the bench's sources, below which the generator of TPC-H is
	// installed.
	Home string
	// Halves makes two files as well, for streams.
	Halves bool
}

// SpecOf generates the workload's files and describes it, as our engine runs it.
func SpecOf(w *Workload, form Form, d Data) (*proc.Spec, error) {
	spec := &proc.Spec{Name: w.Name, Form: string(form), Rows: d.Rows, Rate: w.Rate, Seed: d.Seed,
		Mode: w.Mode, Keys: w.Keys, Dedup: w.Dedup, EventTime: w.EventTime, Delay: w.Delay, Queries: w.Ours(form)}
	if w.TPCH > 0 {
		return tpchSpec(spec, w.TPCH, d)
	}
	d.Rows = w.Size(d.Rows)
	spec.Rows = d.Rows
	for _, t := range w.Tables {
		path, err := t.Files(d.Dir, d.Seed, d.Rows, d.PerFile)
		if err != nil {
			return nil, err
		}
		table := specTable(&t, path)
		if form == Stream && d.Small {
			if table.SmallPath, err = t.Files(d.Dir, d.Seed, d.Rows, max(1, d.PerFile/10)); err != nil {
				return nil, err
			}
		}
		if form == Stream && d.Halves && t.Rows == 0 {
			if table.HalvesPath, err = t.Files(d.Dir, d.Seed, d.Rows, (d.Rows+1)/2); err != nil {
				return nil, err
			}
		}
		if !table.Static {
			spec.Streamed += t.Size(d.Rows)
		}
		spec.Tables = append(spec.Tables, table)
	}
	return spec, nil
}

func specTable(t *gen.Table, path string) proc.Table {
	out := proc.Table{Name: t.Name, Path: path, Format: string(t.Format), Static: t.Rows > 0}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, [2]string{c.Name, c.Type.String()})
	}
	return out
}
