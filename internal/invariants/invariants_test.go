package invariants

import (
	"testing"

	"github.com/flightd/flightd/internal/base"
)

func TestAssertionFailedf(t *testing.T) {
	var err *base.Error
	func() {
		defer func() {
			if r := recover(); r != nil {
				if !Enabled {
					t.Fatalf("panic in a build without invariants: %v", r)
				}
				err = r.(*base.Error)
			} else if Enabled {
				t.Fatal("no panic in a build with invariants")
			}
		}()
		err = AssertionFailedf("row %d of %d", 7, 5)
	}()
	if err.Code != base.CodeInternal || err.Error() != "assertion failed: row 7 of 5" {
		t.Fatalf("got %v %q", err.Code, err.Error())
	}
}
