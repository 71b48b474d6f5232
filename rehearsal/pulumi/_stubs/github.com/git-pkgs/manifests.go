// Package manifests stands for the readers of lock files of package managers.
package manifests

import "errors"

// Result is returned by nothing here.
type Result struct {
	Dependencies []struct{ Name, Version string }
}

// Parse fails.
func Parse(string, []byte) (*Result, error) {
	return nil, errors.New("this build of pulumi reads no lock files of package managers: install Pulumi's own release")
}
