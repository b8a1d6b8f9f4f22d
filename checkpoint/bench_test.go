package checkpoint

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// BenchmarkEpoch writes a done record and the next plan: with one sync, and with
// two, to memory and to the disk under the temporary directory.
func BenchmarkEpoch(b *testing.B) {
	for name, fs := range map[string]vfs.FS{"memory": vfs.NewMem(), "disk": vfs.Default} {
		for _, both := range []bool{true, false} {
			sync := "syncs=2"
			if both {
				sync = "syncs=1"
			}
			b.Run(name+"/"+sync, func(b *testing.B) {
				l, _, err := Open(fs, b.TempDir(), Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer l.Close()
				if err := l.WriteMeta(testMeta()); err != nil {
					b.Fatal(err)
				}
				if err := l.WritePlan(testPlan(0)); err != nil {
					b.Fatal(err)
				}
				changes := filler(1, 10_000)
				e := base.Epoch(0)
				for b.Loop() {
					d := Done{Epoch: e, Changes: changes}
					if both {
						err = l.WriteDoneAndPlan(d, testPlan(e+1))
					} else if err = l.WriteDone(d); err == nil {
						err = l.WritePlan(testPlan(e + 1))
					}
					if err != nil {
						b.Fatal(err)
					}
					e++
				}
			})
		}
	}
}
