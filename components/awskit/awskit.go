// Package awskit has what every component needs: policy documents, child options and tags.
package awskit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Scope is the account, region and cluster of a component. Except Inputs it is plain Go: it decides names and policies.
type Scope struct {
	// Cluster is the cluster's name, the prefix of every physical name.
	Cluster string
	// Region is the AWS region, Partition the ARN partition (aws, aws-us-gov, aws-cn), Account the account id.
	Region, Partition, Account string
	// Protect makes Pulumi refuse to delete or replace resources that hold data or serve clients.
	Protect bool
	// RolePath is the path of the cluster's roles, PermissionsBoundary the ARN of the policy that limits them. Both may be
	// empty.
	RolePath, PermissionsBoundary string
	// InProgram is the cluster's name in a program that may have other clusters. It is empty in a stack that is one
	// cluster.
	InProgram string
	// Inputs are what other resources of a program give, by the values that stand for them in the configuration.
	Inputs map[string]pulumi.StringInput
}

// Input returns a value of the configuration, or what it stands for.
func (s Scope) Input(value string) pulumi.StringInput {
	if given, ok := s.Inputs[value]; ok {
		return given
	}
	return pulumi.String(value)
}

// FilledIn returns a text that repeats one value of the configuration, with the input that the value may stand for.
func (s Scope) FilledIn(text pulumi.StringOutput, value string) pulumi.StringOutput {
	input, stands := s.Inputs[value]
	if !stands {
		return text
	}
	return Scope{Inputs: map[string]pulumi.StringInput{value: input}}.Filled(text)
}

// Filled returns a text that repeats the configuration, with the inputs for the values that stand for them.
func (s Scope) Filled(text pulumi.StringOutput) pulumi.StringOutput {
	if len(s.Inputs) == 0 {
		return text
	}
	type filled[T any] struct {
		Text   T
		Inputs map[string]T
	}
	return Resolve(filled[pulumi.StringInput]{text, s.Inputs}, func(known filled[string]) (string, error) {
		for value, input := range Sorted(known.Inputs) {
			known.Text = strings.ReplaceAll(known.Text, value, input)
		}
		return known.Text, nil
	})
}

// Named returns a resource's name in the program. Two clusters of a program must not share one: an URN has only the
// types of a resource's parents, not their names.
func (s Scope) Named(name string) string {
	if s.InProgram == "" {
		return name
	}
	return s.InProgram + "-" + name
}

// ARN builds an ARN in the scope's partition, region and account.
func (s Scope) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", s.Partition, service, s.Region, s.Account, resource)
}

// GlobalARN builds an ARN of a service without regions or accounts in its ARNs, such as an S3 bucket or a managed policy.
func (s Scope) GlobalARN(service, account, resource string) string {
	return fmt.Sprintf("arn:%s:%s::%s:%s", s.Partition, service, account, resource)
}

// RoleName returns the name of the cluster's role for a purpose, in IAM's 64 characters. Roles are shared by all
// regions of an account, so the region is part of it.
func (s Scope) RoleName(purpose string) string {
	suffix := "-" + purpose + "-" + s.Region
	return s.Prefix(64-len(suffix)) + suffix
}

// Prefix returns the cluster's name for a service that allows only short names. A name over the limit, in characters,
// is cut and ends with a hash of the whole name.
func (s Scope) Prefix(limit int) string {
	if len(s.Cluster) <= limit {
		return s.Cluster
	}
	hash := sha256.Sum256([]byte(s.Cluster))
	end := "-" + hex.EncodeToString(hash[:])[:6]
	return strings.TrimRight(s.Cluster[:limit-len(end)], "-") + end
}

// Policy is an IAM policy document.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement is one statement of a policy document.
type Statement struct {
	Sid       string                    `json:"Sid,omitempty"`
	Effect    string                    `json:"Effect"`
	Principal map[string]any            `json:"Principal,omitempty"`
	Action    []string                  `json:"Action"`
	Resource  []string                  `json:"Resource,omitempty"`
	Condition map[string]map[string]any `json:"Condition,omitempty"`
}

// Allow starts a statement that allows the actions on the resources.
func Allow(sid string, actions []string, resources ...string) Statement {
	return Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: resources}
}

// NewPolicy returns a document of the current policy language.
func NewPolicy(statements ...Statement) Policy {
	return Policy{Version: "2012-10-17", Statement: statements}
}

// JSON returns the document in the format of the IAM API.
func (p Policy) JSON() string {
	text, err := json.Marshal(p)
	if err != nil {
		// A policy contains only strings and string maps, which always marshal.
		panic(err)
	}
	return string(text)
}

// TrustPolicy lets an AWS service assume a role.
func TrustPolicy(service string) string {
	return NewPolicy(Statement{
		Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: map[string]any{"Service": service},
	}).JSON()
}

// TrustPolicy lets an AWS service that works for many accounts assume a role, but only for sources that match the ARN
// in the scope's own account.
func (s Scope) TrustPolicy(service, source string) string {
	return NewPolicy(Statement{
		Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: map[string]any{"Service": service},
		Condition: map[string]map[string]any{
			"StringEquals": {"aws:SourceAccount": s.Account}, "ArnLike": {"aws:SourceArn": source},
		},
	}).JSON()
}

// EC2Service is the principal of EC2, the only one with a different name in China.
func (s Scope) EC2Service() string {
	if s.Partition == "aws-cn" {
		return "ec2.amazonaws.com.cn"
	}
	return "ec2.amazonaws.com"
}

// With returns the options and more options. It copies: a plain append on a shared slice could overwrite a sibling's.
func With(base []pulumi.ResourceOption, extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append(slices.Clone(base), extra...)
}

// Sorted iterates over a map in the order of its keys, so that the order of maps never matters.
func Sorted[K ~string, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// Tags are the tags of one resource: its display name and the component it belongs to. The provider's default tags add
// project, stack and the team's own.
func Tags(name, component string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(name), "component": pulumi.String(component)}
}

// Strings returns a Pulumi array of plain strings.
func Strings(values []string) pulumi.StringArray {
	return pulumi.ToStringArray(values)
}
