//go:build !linux

package sandbox

import (
	"context"
	"io"
)

// Serve returns: nothing runs in a sandbox here.
func Serve(map[string]Part) {}

// Run says that namespaces are Linux's.
func Run(context.Context, string, []byte, io.Writer) ([]byte, error) {
	return nil, Missing("this needs the network namespaces of Linux; run it on Linux, in a virtual machine or a container")
}
