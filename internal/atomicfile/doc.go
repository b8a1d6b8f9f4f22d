// Package atomicfile writes files that are there whole or not at all, also after
// a power cut: content first, synced, then the name, then the directory synced.
// It knows nothing of what is in them.
package atomicfile
