package cluster

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/config"
)

// Refused is the error for a refused stack file. Unwrap returns the reason. It is config.Problems if the configuration is
// wrong.
type Refused struct {
	Stack string
	Cause error
}

// Error is short, since Refuse logs an error for each problem. Pulumi prints this text after them.
func (r *Refused) Error() string {
	return fmt.Sprintf("stack %s is refused, for the reasons above; no resource was touched", r.Stack)
}

// Unwrap returns the reason.
func (r *Refused) Unwrap() error { return r.Cause }

// Refuse logs an error for each problem, and returns Refused.
func Refuse(ctx *pulumi.Context, cause error) error {
	texts := []string{cause.Error()}
	var problems config.Problems
	if errors.As(cause, &problems) {
		texts = nil
		for _, problem := range problems {
			texts = append(texts, problem.String())
		}
	}
	for _, text := range texts {
		if err := ctx.Log.Error(text, nil); err != nil {
			return fmt.Errorf("printing an error: %w: %w", err, cause)
		}
	}
	return &Refused{Stack: ctx.Stack(), Cause: cause}
}
