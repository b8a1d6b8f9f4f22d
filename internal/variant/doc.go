// Package variant reads, builds and edits values of the VARIANT type in the
// binary encoding that Spark and Parquet share: a value and the metadata with
// the names of its objects' fields.
//
// A value begins with a byte whose lower two bits are its form: primitive, short
// string, object or array; the other six bits are the kind of the primitive, the
// string's length, or the widths of an object's or array's table. Numbers are
// little-endian. Objects list their fields in the order of their names, compared
// as UTF-16. The metadata is a version, the number of names, their offsets and
// their text.
//
// In a column a variant is one run of bytes: the length of the metadata in four
// bytes, the metadata, the value. Join and Open convert.
//
// Bytes that did not come from a Builder may be anything. Methods of Value
// panic with a private type where they are malformed; Catch, deferred, turns
// that into the error MALFORMED_VARIANT.
package variant
