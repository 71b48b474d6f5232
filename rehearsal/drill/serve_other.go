//go:build !linux

package drill

// Serve returns: no drill runs on this system.
func Serve() {}
