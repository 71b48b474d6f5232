package main

import (
	"context"
	"net"
	"os/exec"
	"strings"
)

// local is the machine that the preflight runs on.
type local struct{}

// LookPath finds a program.
func (local) LookPath(name string) error {
	_, err := exec.LookPath(name)
	return err
}

// NameServers asks the resolver of this machine.
func (local) NameServers(ctx context.Context, domain string) ([]string, error) {
	found, err := net.DefaultResolver.LookupNS(ctx, domain)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(found))
	for i, n := range found {
		names[i] = strings.TrimSuffix(n.Host, ".")
	}
	return names, nil
}
