package javamath

import "testing"

func BenchmarkFunctions(b *testing.B) {
	for name, fn := range map[string]func(float64) float64{"sin": Sin, "tan": Tan, "exp": Exp, "log": Log, "cbrt": Cbrt} {
		b.Run(name, func(b *testing.B) {
			s := 0.0
			for i := 0; b.Loop(); i++ {
				s += fn(float64(i&1023) * 0.37)
			}
			_ = s
		})
	}
}
