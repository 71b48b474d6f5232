// Package neo stands for the agent of Pulumi Cloud.
package neo

import (
	"errors"

	"github.com/spf13/cobra"
)

// NewNeoCmd returns a command that fails.
func NewNeoCmd() *cobra.Command {
	return &cobra.Command{Use: "neo", Hidden: true, RunE: func(*cobra.Command, []string) error {
		return errors.New("this build of pulumi has no agent: install Pulumi's own release")
	}}
}
