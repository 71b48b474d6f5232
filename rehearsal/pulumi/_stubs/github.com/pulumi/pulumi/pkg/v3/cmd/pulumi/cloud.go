// Package cloud stands for the commands that call the API of Pulumi Cloud.
package cloud

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/pulumi/pulumi/pkg/v3/backend/httpstate/client"
)

// APIError is returned by nothing here.
type APIError struct {
	error

	ExitCode int
	Silent   bool
}

// ResolvedContext is returned by nothing here.
type ResolvedContext struct {
	Client   *client.Client
	OrgName  string
	LoggedIn bool
}

var errMissing = errors.New("this build of pulumi has no commands for Pulumi Cloud: install Pulumi's own release")

// ResolveContext fails.
func ResolveContext(context.Context) (*ResolvedContext, error) { return nil, errMissing }

// NewAPICmd returns a command that fails.
func NewAPICmd() *cobra.Command {
	return &cobra.Command{Use: "api", Hidden: true, RunE: func(*cobra.Command, []string) error { return errMissing }}
}
