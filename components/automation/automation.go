// Package automation runs an Automation document of Systems Manager whenever its parameters change, and fails the
// update unless the run succeeds. It is for actions that AWS only starts and no resource of the provider waits for.
package automation

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// Step is a step of a document.
type Step struct {
	Name    string `json:"name"`
	Action  string `json:"action"`
	Timeout int    `json:"timeoutSeconds,omitempty"`
	// OnFailure is step:NAME for the step that follows a failure of this one. Without it the run fails.
	OnFailure string         `json:"onFailure,omitempty"`
	Inputs    map[string]any `json:"inputs"`
	Outputs   []Output       `json:"outputs,omitempty"`
	NextStep  string         `json:"nextStep,omitempty"`
	IsEnd     bool           `json:"isEnd,omitempty"`
}

// Output is a value of a step that later steps may read.
type Output struct{ Name, Selector, Type string }

// Trust lets Systems Manager assume a role for the runs of the account's documents.
func Trust(scope awskit.Scope) string {
	return scope.TrustPolicy("ssm.amazonaws.com", scope.ARN("ssm", "automation-execution/*"))
}

const (
	// scriptSeconds is the maximum time of one script; Systems Manager allows at most 600.
	scriptSeconds = 600
	// lookSeconds is the time in which a script may poll.
	lookSeconds = 540
	// Margin is the time by which a run may exceed the time that it waits for.
	Margin = 2 * scriptSeconds
)

// Script is a step that runs a script's handler. The handler gets the payload and the number of seconds in which it may
// poll.
func Script(name, handler, script string, payload map[string]any) Step {
	in := map[string]any{"seconds": lookSeconds}
	for key, value := range payload {
		in[key] = value
	}
	return Step{Name: name, Action: "aws:executeScript", Timeout: scriptSeconds, Inputs: map[string]any{
		"Runtime": "python3.11", "Handler": handler, "Script": script, "InputPayload": in,
	}}
}

// Wait is a step that polls an API until a property has one of some values. The next step follows even if it fails, and
// must check the result.
func Wait(name, service, api, property string, values []string, seconds int, then string, request map[string]any) Step {
	in := map[string]any{"Service": service, "Api": api, "PropertySelector": property, "DesiredValues": values}
	for key, value := range request {
		in[key] = value
	}
	return Step{Name: name, Action: "aws:waitForAwsResourceProperty", Timeout: seconds, OnFailure: "step:" + then, Inputs: in,
		NextStep: then}
}

// Document returns a document that runs under the role AutomationAssumeRole. Parameters are texts, by name with their
// descriptions.
func Document(description string, parameters map[string]string, steps []Step) (string, error) {
	declared := map[string]any{"AutomationAssumeRole": map[string]string{
		"type": "AWS::IAM::Role::Arn", "description": "The role under which this runs",
	}}
	for name, what := range parameters {
		declared[name] = map[string]string{"type": "String", "description": what}
	}
	text, err := json.Marshal(map[string]any{
		"schemaVersion": "0.3", "description": description, "assumeRole": "{{ AutomationAssumeRole }}",
		"parameters": declared, "mainSteps": steps,
	})
	if err != nil {
		return "", fmt.Errorf("writing the automation: %w", err)
	}
	return string(text), nil
}

// RunArgs is one run.
type RunArgs struct {
	// Document and Association are their names in AWS; a document's name must not begin with aws or amazon. Component
	// is the component of their tags.
	Document, Association, Component string
	// Content is the document.
	Content pulumi.StringInput
	// Role is the ARN of the role of the run, Parameters are the document's other ones. A change runs it again.
	Role       pulumi.StringInput
	Parameters pulumi.StringMap
	// Seconds is the maximum time of a run.
	Seconds int
	// Before must be done before the run.
	Before []pulumi.Resource
}

// Run makes the document and runs it. No resource of AWS runs a document once. An association runs it when it is
// created, and the provider then waits for its success (terraform-provider-aws, internal/service/ssm/association.go).
// It waits while the status of the association's overview is Pending, for Success, and fails at anything else (wait.go
// and status.go there). AWS documents only these statuses and Failed (Systems Manager, AssociationOverview), so a run
// in progress must be Pending. AWS does not say this explicitly for Automation.
func Run(ctx *pulumi.Context, name string, args *RunArgs, child ...pulumi.ResourceOption) (pulumi.CustomResource, error) {
	document, err := ssm.NewDocument(ctx, name, &ssm.DocumentArgs{
		Name: pulumi.String(args.Document), DocumentType: pulumi.String("Automation"),
		DocumentFormat: pulumi.String("JSON"), Tags: awskit.Tags(args.Document, args.Component),
		Content: args.Content,
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("writing the automation: %w", err)
	}
	parameters := pulumi.StringMap{"AutomationAssumeRole": args.Role}
	for key, value := range args.Parameters {
		parameters[key] = value
	}
	made, err := ssm.NewAssociation(ctx, name, &ssm.AssociationArgs{
		AssociationName: pulumi.String(args.Association), Name: document.Name, Parameters: parameters,
		WaitForSuccessTimeoutSeconds: pulumi.Int(args.Seconds),
	}, awskit.With(child, pulumi.DependsOn(args.Before),
		// The provider waits when it creates an association, not when it changes one. A failed one is in the state too;
		// without #initerror the next update would consider it done.
		pulumi.ReplaceOnChanges([]string{"parameters", "#initerror"}), pulumi.DeleteBeforeReplace(true))...)
	if err != nil {
		return nil, fmt.Errorf("running the automation: %w", err)
	}
	return made, nil
}
