// Package roots keeps the files that a user names under configured directories.
//
// A Set is a number of directories, each held open as an os.Root: names are
// looked up from there one component at a time, so that neither "..", nor a
// symbolic link, nor one that is put there between a check and a use leads out.
// The nil *Set is no restriction: the process's own rights.
//
// Promises that tests cite:
//
//	D1  No operation of a Set reads, lists, makes, changes or removes anything
//	    outside its directories, whoever changes them meanwhile.
//	D2  What is private stays out of reach although it lies under a directory.
//	D3  A refusal has the condition PATH_NOT_ALLOWED and names the flag that adds a
//	    directory. It does not tell whether the file exists.
//	D4  Opening waits for nobody: a pipe, socket or device is refused.
package roots
