//go:build !linux

package sandbox

import (
	"context"
	"io"
)

// Serve returns: no sandbox runs on this system.
func Serve(map[string]Part) {}

// Run fails: namespaces need Linux.
func Run(context.Context, string, []byte, io.Writer) ([]byte, error) {
	return nil, Missing("this needs the network namespaces of Linux; run it on Linux, in a virtual machine or a container")
}
