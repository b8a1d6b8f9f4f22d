// Package rowtext writes the cells of record batches as the texts of files: JSON
// objects and CSV lines, as Spark's writers have them. It knows no file and no
// sink.
//
// A Row is made once per record batch; a cell then costs a switch on its kind.
package rowtext
