// Package workload is the bench's table of workloads: data, and the rendering of
// its SQL for each engine. A workload is one question over generated tables; its
// answer must be the same from every engine and in every form.
//
// It does not know how anything is run.
package workload
