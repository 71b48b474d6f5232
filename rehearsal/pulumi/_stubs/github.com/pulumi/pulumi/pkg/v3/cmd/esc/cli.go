// Package cli stands for the environments of Pulumi ESC, which a stack names under environment.
package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/pulumi/pulumi/pkg/v3/auth/credentialhelper"
	"github.com/pulumi/pulumi/pkg/v3/backend/httpstate"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/esc"
)

var errMissing = errors.New("this build of pulumi has no Pulumi ESC: install Pulumi's own release")

// Options are not used.
type Options struct {
	ParentPath, UserAgent string
	Colors                colors.Colorization
	CredentialHelpers     *credentialhelper.Session
	Login                 httpstate.LoginManager
}

// New returns a command that fails.
func New(*Options) *cobra.Command {
	c := &cobra.Command{}
	c.AddCommand(&cobra.Command{Use: "env", Hidden: true, RunE: func(*cobra.Command, []string) error { return errMissing }})
	return c
}

// PrepareOptions are not used.
type PrepareOptions struct{ Pretend, Redact bool }

// PrepareEnvironment fails.
func PrepareEnvironment(*esc.Environment, *PrepareOptions) (files, environ, secrets []string, filesByKey map[string]string, err error) {
	return nil, nil, nil, nil, errMissing
}
