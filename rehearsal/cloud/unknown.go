package cloud

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// UnknownPackage serves a package of a team's program that has no rows in the table, such as random.
type UnknownPackage struct {
	*Provider
	name string
}

// NewUnknownPackage makes the provider of a package without rows.
func NewUnknownPackage(c *Cloud, name string) *UnknownPackage {
	return &UnknownPackage{NewProvider(c), name}
}

// Pkg names the package.
func (u *UnknownPackage) Pkg() tokens.Package { return tokens.Package(u.name) }

// GetPluginInfo gives any version: every one is the same here.
func (u *UnknownPackage) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &semver.Version{Major: 1}}, nil
}

// Configure accepts every configuration.
func (u *UnknownPackage) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

// Close does nothing: the AWS provider closes the account.
func (u *UnknownPackage) Close() error { return nil }

// typeOf returns the row of a type. In a team's own program, a type without a row accepts every input. Its id, its ARN and its
// name are stand-ins, and no other output is known.
func (c *Cloud) typeOf(token string) (*Type, error) {
	t, err := lookup(token)
	if err == nil || !c.several {
		return t, err
	}
	t = &Type{Token: token, ID: "{hex}", Outputs: Object{"name": "{id}"}}
	if service, ok := strings.CutPrefix(token, "aws:"); ok {
		service, _, _ = strings.Cut(service, "/")
		t.Outputs["arn"] = "arn:{partition}:" + service + ":{region}:{account}:{id}"
	}
	return t, nil
}

// meet records a resource whose type has no row.
func (c *Cloud) meet(t *Type, name string) {
	if table[t.Token] == nil {
		c.note(t.Token, name)
	}
}

func (c *Cloud) note(token, name string) {
	if c.unknown[token] == nil {
		c.unknown[token] = map[string]bool{}
	}
	c.unknown[token][name] = true
}

// stranger answers a function without an answer in the table: with its arguments, and stand-ins for id, ARN and name.
func (c *Cloud) stranger(token string, args Object) Object {
	c.note(token, "")
	call := &Call{Cloud: c, Type: &Type{}, URN: token, In: args, Out: clone(args)}
	for name, template := range map[string]string{"id": "{hex}", "name": "{hex}", "arn": "arn:{partition}:rehearsal:{region}:{account}:{hex}"} {
		if call.Out[name] == nil {
			call.Out[name] = call.expand(template)
		}
	}
	return call.Out
}

// Unknown lists the types and functions of a program that have no row in the table, with the names of their resources.
func (c *Cloud) Unknown() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, token := range slices.Sorted(maps.Keys(c.unknown)) {
		all = append(all, strings.TrimSpace(token+" "+strings.Join(slices.Sorted(maps.Keys(c.unknown[token])), ", ")))
	}
	return all
}
