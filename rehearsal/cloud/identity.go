package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
)

// defaultAccount is the account of a stack that names none.
const defaultAccount = "123456789012"

const providerNamespace = "aws:"

// identity is the identity of a provider's calls.
type identity struct {
	accessKey, secretKey, token, profile, role, webRole string
}

// providerUse is the state of one AWS provider of the engine. Each has its own connection.
type providerUse struct {
	name string
	// called says that it was used for a resource or a function.
	called bool
	// sees is the cloud as the provider sees it.
	sees *Cloud
}

// AccountOf returns the account of a stack's configuration, by full key: that of the role it assumes, or the only one
// that it allows.
func AccountOf(configuration map[string]string) string {
	config := providerConfig(configuration)
	if account := accountOfRole(identityOf(config)); account != "" {
		return account
	}
	if allowed := texts(config, "allowedAccountIds[]"); len(allowed) == 1 {
		return allowed[0]
	}
	return defaultAccount
}

// providerConfig returns the values of the namespace aws by name, as a provider receives them.
func providerConfig(configuration map[string]string) Object {
	config := Object{}
	for key, value := range configuration {
		if name, ours := strings.CutPrefix(key, providerNamespace); ours {
			config[name] = value
		}
	}
	return decoded(config)
}

// decoded turns JSON in texts into values: the engine passes lists and objects of the configuration as text.
func decoded(config Object) Object {
	out := clone(config)
	for key, value := range out {
		text, ok := value.(string)
		if !ok {
			continue
		}
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			switch v.(type) {
			case Object, []any, bool:
				out[key] = v
			}
		}
	}
	return out
}

func identityOf(config Object) identity {
	return identity{
		accessKey: text(config, "accessKey"), secretKey: text(config, "secretKey"), token: text(config, "token"),
		profile: text(config, "profile"), role: text(config, "assumeRole.roleArn"),
		webRole: text(config, "assumeRoleWithWebIdentity.roleArn"),
	}
}

var roleAccount = regexp.MustCompile(`^arn:[^:]+:iam::(\d{12}):role/`)

func accountOfRole(i identity) string {
	for _, role := range []string{i.role, i.webRole} {
		if m := roleAccount.FindStringSubmatch(role); m != nil {
			return m[1]
		}
	}
	return ""
}

// String names an identity without its secrets.
func (i identity) String() string {
	var parts []string
	for _, part := range []struct{ name, value string }{
		{"access key", i.accessKey}, {"profile", i.profile}, {"web identity role", i.webRole}, {"role", i.role},
	} {
		if part.value != "" {
			parts = append(parts, part.name+" "+part.value)
		}
	}
	if len(parts) == 0 {
		return "the user who runs pulumi"
	}
	return strings.Join(parts, ", ")
}

// arn returns the ARN that STS gives an identity.
func (c *Cloud) arn() string {
	name := c.principal()
	if accountOfRole(c.identity) != "" {
		return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/rehearsal", c.partition(), c.account, name[strings.LastIndex(name, "/")+1:])
	}
	return name
}

// principal returns the ARN of the role or user behind an identity.
func (c *Cloud) principal() string {
	if accountOfRole(c.identity) != "" {
		return cmp.Or(c.identity.role, c.identity.webRole)
	}
	return fmt.Sprintf("arn:%s:iam::%s:user/rehearsal", c.partition(), c.account)
}

// identify refuses a provider without a key of the stack's configuration, or with an account that is not allowed, as
// the real provider does when it is configured (terraform-provider-aws, internal/conns/config.go:
// VerifyAccountIDAllowed).
func (c *Cloud) identify(name string, config Object) error {
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(c.provider)) {
		if !c.several && !holds(config[key], c.provider[key]) {
			wrong = append(wrong, fmt.Errorf("the provider %s does not get aws:%s, which the stack's configuration sets: "+
				"it would use another identity, account or region", name, key))
		}
	}
	account := c.account
	if of := accountOfRole(identityOf(config)); of != "" {
		account = of
	}
	allowed, forbidden := texts(config, "allowedAccountIds[]"), texts(config, "forbiddenAccountIds[]")
	if len(allowed) > 0 && !slices.Contains(allowed, account) || slices.Contains(forbidden, account) {
		wrong = append(wrong, fmt.Errorf("configuring the provider %s: AWS account ID not allowed: %s", name, account))
	} else if account != c.account {
		wrong = append(wrong, fmt.Errorf("the provider %s acts in the account %s, and the stack is rehearsed in %s", name, account, c.account))
	}
	return errors.Join(wrong...)
}

// holds reports whether a value contains the wanted one. An object may contain more, such as further default tags.
func holds(has, want any) bool {
	if object, ok := want.(Object); ok {
		given, _ := has.(Object)
		for key, value := range object {
			if !holds(given[key], value) {
				return false
			}
		}
		return true
	}
	if list, ok := want.([]any); ok {
		given, _ := has.([]any)
		return slices.EqualFunc(given, list, holds)
	}
	return reflect.DeepEqual(has, want) || has != nil && fmt.Sprint(has) == fmt.Sprint(want)
}

// connection returns the caller's connection.
func connection(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// configured records the provider of a connection.
func (c *Cloud) configured(ctx context.Context, name string, sees *Cloud) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses[connection(ctx)] = &providerUse{name: name, sees: sees}
}

// checkOneProvider refuses calls through two different AWS providers: with different settings, such as a profile, they could
// use two accounts.
func (c *Cloud) checkOneProvider(ctx context.Context, what string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	use := c.uses[connection(ctx)]
	if use == nil || c.several {
		return nil
	}
	for _, other := range c.uses {
		if other.called && other.name != use.name {
			return fmt.Errorf("%s is called through the provider %s, and others through %s: one provider for everything, "+
				"or the two may act in different accounts", what, use.name, other.name)
		}
	}
	use.called = true
	return nil
}

// connections deletes a provider when the engine closes its connection.
type connections struct{ cloud *Cloud }

func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (connections) HandleRPC(context.Context, stats.RPCStats)                       {}

type connected struct{}

func (connections) TagConn(ctx context.Context, info *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, connected{}, info.RemoteAddr.String())
}

func (s connections) HandleConn(ctx context.Context, event stats.ConnStats) {
	if _, ended := event.(*stats.ConnEnd); ended {
		s.cloud.mu.Lock()
		defer s.cloud.mu.Unlock()
		delete(s.cloud.uses, fmt.Sprint(ctx.Value(connected{})))
	}
}

// checkToken refuses a token of another identity than the AWS provider's: EKS gives access to the identity that made the
// cluster.
func (c *Cloud) checkToken(e *kubeExec) error {
	if e == nil || e.Command != "aws" {
		return nil
	}
	after := func(option string) string {
		if i := slices.Index(e.Args, option); i >= 0 && i+1 < len(e.Args) {
			return e.Args[i+1]
		}
		return ""
	}
	env := map[string]string{}
	for _, variable := range e.Env {
		env[variable.Name] = variable.Value
	}
	has, want := identity{
		accessKey: env["AWS_ACCESS_KEY_ID"], secretKey: env["AWS_SECRET_ACCESS_KEY"], token: env["AWS_SESSION_TOKEN"],
		profile: after("--profile"), role: after("--role-arn"), webRole: env["AWS_ROLE_ARN"],
	}, c.identity
	if profile := env["AWS_PROFILE"]; profile != "" && has.profile == "" {
		return fmt.Errorf("the kubeconfig names the profile %s in AWS_PROFILE, which keys in the environment override: "+
			"give `aws` the option --profile", profile)
	}
	if want.accessKey != "" {
		want.profile = "" // the provider's keys have priority over its profile
	}
	if has != want {
		return fmt.Errorf("the kubeconfig gets its token as %s, and the AWS provider acts as %s: the cluster is the latter's", has, want)
	}
	return nil
}
