package checkpoint

import (
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// Dump writes the records of the ledger in dir to w, a line each, and then what
// they come to. It takes no lock and changes nothing.
func Dump(fs vfs.FS, dir string, w io.Writer) error {
	found, err := readDir(fs, dir)
	if err != nil {
		return base.Wrap(err, "reading ledger %s", dir)
	}
	for _, r := range found.records {
		fmt.Fprintf(w, "%s frame %d %s %s", segmentName(found.segments[r.segment].number), r.frame, r.typ, r.json)
		if len(r.blob) > 0 {
			fmt.Fprintf(w, " + %d bytes", len(r.blob))
		}
		fmt.Fprintln(w)
	}
	r := found.recovered
	if r.CutBytes > 0 {
		fmt.Fprintf(w, "torn tail of %d bytes\n", r.CutBytes)
	}
	_, err = fmt.Fprintf(w, "planned %d, done %d, replay %v\n", r.lastPlan(), r.lastDone(), r.Replay)
	return err
}
