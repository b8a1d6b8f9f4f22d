package guard

// Limits bound what one stream may make the server do. A zero field means its
// default.
type Limits struct {
	// Fields is the number of fields of a schema, nested ones included: 10,000.
	Fields int
	// Depth is how deep fields may nest: 64, which is also arrow-go's limit.
	Depth int
	// Header is the size of a message's header in bytes: 16 MiB.
	Header int
	// Body is the size of a message's body in bytes: 1 GiB.
	Body int
	// Inflated is what compressed buffers of a message may add up to, in bytes,
	// on top of three times the message: 48 MiB.
	Inflated int64
	// FreeRows is the number of values without bytes, such as those of a null
	// column, that a message may have on top of eight for each byte: 1 Mi.
	FreeRows int64
	// Dictionaries is the total size of the dictionaries of a stream: 64 MiB.
	Dictionaries int64
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.Fields, 10_000)
	def(&l.Depth, 64)
	def(&l.Header, 16<<20)
	def(&l.Body, 1<<30)
	def64(&l.Inflated, 48<<20)
	def64(&l.FreeRows, 1<<20)
	def64(&l.Dictionaries, 64<<20)
	return l
}

// inflated is the most that compressed buffers in a message of n bytes may
// become.
func (l Limits) inflated(n int) int64 { return 3*int64(n) + l.Inflated }

// freeRows is the most values without bytes in a message of n bytes.
func (l Limits) freeRows(n int) int64 { return 8*int64(n) + l.FreeRows }
