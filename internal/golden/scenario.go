package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"

	"github.com/flightd/flightd/internal/base"
)

// Scenario is one recording of a streaming query.
type Scenario struct {
	Name, Family, Note string
	Conf               map[string]string
	Tables             map[string]Table
	Streams            map[string]Stream
	Ops                []Op
	Output             string
	OutputMode         string `json:"output_mode"`
	Trigger            string
	Ordered            bool
	Steps              []Step
	Expect             Expect
}

// Table is a static table.
type Table struct {
	Schema string
	Rows   [][]any
}

// Stream is a streaming input.
type Stream struct {
	Schema             string
	MaxFilesPerTrigger int `json:"max_files_per_trigger"`
}

// Op is a step that builds the query; its result is the view As.
type Op struct {
	Op, Text, Input, Column, Delay string
	Columns                        []string
	Inputs                         []string
	ByName                         bool `json:"by_name"`
	As                             string
}

// Step is what happens next. Restart is false, true, or an object that replaces
// fields of the scenario.
type Step struct {
	Add     map[string][][]any
	Restart json.RawMessage
	Run     bool
}

// Expect is what Spark answered.
type Expect struct {
	Schema string
	Steps  []struct{ Epochs []Epoch }
	Error  *Failure
	At     string
}

// Failure is a recorded error.
type Failure struct {
	Type, Message string
	Class         *string
	SQLState      *string `json:"sql_state"`
}

// Epoch is one micro-batch.
type Epoch struct {
	BatchID   int64            `json:"batch_id"`
	InputRows map[string]int64 `json:"input_rows"`
	Watermark *string
	EventTime map[string]string `json:"event_time"`
	Rows      [][]*string
	State     []State
}

// State is the report of a stateful operator.
type State struct {
	OperatorName                                                            string
	NumRowsTotal, NumRowsUpdated, NumRowsRemoved, NumRowsDroppedByWatermark int64
	NumDroppedDuplicateRows                                                 *int64
}

// Load reads every recording below dir, by family and name.
func Load(dir string) ([]*Scenario, error) {
	var out []*Scenario
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return nil, err
		}
		d := json.NewDecoder(f)
		d.UseNumber()
		var s Scenario
		err = d.Decode(&s)
		f.Close()
		if err != nil {
			return nil, base.Wrap(err, "reading %s", p)
		}
		out = append(out, &s)
	}
	if len(out) == 0 {
		return nil, base.Errorf(base.CodeNotFound, "no recordings in %s", dir)
	}
	return out, nil
}

// ID is family/name.
func (s *Scenario) ID() string { return s.Family + "/" + s.Name }
