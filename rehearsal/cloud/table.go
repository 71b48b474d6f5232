package cloud

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Type is one row of the table: everything the offline cloud knows of a resource type. Paths are those of the Pulumi
// inputs, with [] for the elements of a list (defaultActions[].targetGroupArn). Templates hold names in braces:
// {region}, {account}, {partition}, {suffix} (the partition's DNS suffix), {hex} (17 digits), {hex8}, {uuid}, {digits},
// {id}, or any input.
type Type struct {
	// Token is the Pulumi type.
	Token string
	// ID and ARN are templates. ARN is empty for what has none.
	ID, ARN string
	// Name is the input that the provider names by itself when it is left out.
	Name string
	// NamePrefix is the input that, when set, keeps Name from being filled.
	NamePrefix string
	// Scope is the input, or output, that an id is only unique within.
	Scope string
	// Tags says that the provider's default tags are merged into the input tags.
	Tags bool
	// Required lists the inputs that cannot be left out, ExactlyOne and AtMostOne groups of inputs that exclude others.
	Required              []string
	ExactlyOne, AtMostOne [][]string
	// Defaults are what the provider writes into inputs left out.
	Defaults Object
	// Outputs are what the service computes: templates for strings, other values as they are.
	Outputs Object
	// Secret lists properties that are secret whether or not the input was.
	Secret []string
	// Replace lists the inputs whose change needs a new resource; ReplaceWhen those that do so under a condition.
	Replace     []string
	ReplaceWhen map[string]func(Object) bool
	// Refs say which inputs name which other resources.
	Refs []Ref
	// Fields bound single inputs.
	Fields []Field
	// Unique lists groups of inputs of which no two live resources may have the same values.
	Unique []Unique
	// Put says that creating it again overwrites it, or finds it there, where the call that made it was never answered.
	Put bool
	// Overwrites says that creating it takes the place of one with the same id that no call is owed an answer for.
	Overwrites bool
	// Earlier says that the service keeps the inputs of every earlier version.
	Earlier bool
	// Stays says under which inputs a delete leaves it in the account.
	Stays func(Object) bool
	// Check holds the rules that need nothing but the inputs; they run before anything is created.
	Check []Rule
	// Rules hold in the cloud as it is at the time of a create or update.
	Rules []Rule
	// After computes outputs and effects once a create or update has been accepted.
	After func(*Call)
	// InUse is the service's error code for a delete while another resource refers to this one.
	InUse string
	// Protection is the input that makes the service refuse a delete.
	Protection string
	// Deletable are the rules of a delete besides references, Deleted its effects.
	Deletable []Rule
	Deleted   func(*Call)
}

// Ref says that an input names another resource.
type Ref struct {
	// Path is the input, To the types it may name, By the property that it holds (id, arn, name, ...).
	Path string
	To   []string
	By   string
	// Free means that the service lets the other resource be deleted all the same.
	Free bool
	// NotFound is the service's error code; empty for the usual one.
	NotFound string
	// Accept lets through a value that is no resource of this stack, such as a policy that AWS manages.
	Accept func(*Call, string) bool
}

// Unique is a group of inputs whose values together occur once.
type Unique struct {
	By   []string
	Code string
}

// Field bounds the values of one input.
type Field struct {
	Path string
	// Min and Max bound the length of a text or the size of a number; Max 0 bounds nothing.
	Min, Max float64
	// Like is a pattern of the whole text and Want its description.
	Like *regexp.Regexp
	Want string
	// OneOf lists the values.
	OneOf []string
}

// Rule is a rule that needs code. It returns everything that is wrong.
type Rule func(*Call) error

// Call is one request to the cloud: what rules see. The cloud is locked meanwhile.
type Call struct {
	Cloud *Cloud
	Type  *Type
	// Name is the resource's Pulumi name, URN its URN.
	Name, URN string
	// ID is the resource's id; not known to a preview's create.
	ID string
	// In are the inputs, Out the outputs being made.
	In, Out Object
	// Old is the resource before an update or delete.
	Old *Resource
	// Preview says that nothing will happen.
	Preview bool
	// Known is the resource before an update as the engine knows it.
	Known Object
	// Failed is why what was made does not do what the provider waits for: it is there, and the call fails.
	Failed error
}

// text reads an input.
func (c *Call) text(path string) string { return text(c.In, path) }

// unknown says whether one of the paths is not known yet, so that a rule cannot decide.
func (c *Call) unknown(paths ...string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return unknownAt(c.In, p) })
}

// ServiceError is an error as the service would put it: a code and what is wrong.
type ServiceError struct{ Code, Message string }

func (e *ServiceError) Error() string { return e.Code + ": " + e.Message }

func fail(code, format string, args ...any) error {
	return &ServiceError{code, fmt.Sprintf(format, args...)}
}

// ref makes the common reference: by id, and the other resource cannot go while it stands.
func ref(path string, to ...string) Ref { return Ref{Path: path, To: to, By: "id"} }

func (r Ref) by(property string) Ref { r.By = property; return r }
func (r Ref) free() Ref              { r.Free = true; return r }
func (r Ref) code(c string) Ref      { r.NotFound = c; return r }
func (r Ref) or(accept func(*Call, string) bool) Ref {
	r.Accept = accept
	return r
}

func like(path, pattern, want string, bounds ...float64) Field {
	f := Field{Path: path, Like: regexp.MustCompile(`^(?:` + pattern + `)$`), Want: want}
	if len(bounds) == 2 {
		f.Min, f.Max = bounds[0], bounds[1]
	}
	return f
}

func between(path string, low, high float64) Field { return Field{Path: path, Min: low, Max: high} }
func oneOf(path string, values ...string) Field    { return Field{Path: path, OneOf: values} }

// table is every row, by token.
var table map[string]*Type

// It is filled here, since the rules that the rows name look into the table themselves.
func init() {
	table = index(
		acmTypes, autoscalingTypes, cloudwatchTypes, networkTypes, instanceTypes, securityGroupTypes, transitGatewayTypes,
		appAutoscalingTypes, ecrTypes, ecsTypes, efsTypes, eksTypes, iamTypes, kmsTypes, kubernetesTypes, loadBalancerTypes,
		rdsTypes, route53Types, s3Types, secretsManagerTypes, ssmTypes,
		wafTypes,
	)
}

func index(services ...[]Type) map[string]*Type {
	all := map[string]*Type{}
	for _, types := range services {
		for i := range types {
			all[types[i].Token] = &types[i]
		}
	}
	return all
}

// Types lists the resource types that the cloud serves.
func Types() []string { return slices.Sorted(maps.Keys(table)) }

func lookup(token string) (*Type, error) {
	if t, ok := table[token]; ok {
		return t, nil
	}
	return nil,
		fmt.Errorf("the offline cloud does not know the resource type %s: it cannot say what AWS would do with it. "+
			"It knows %d types; give this one a row in the table of rehearsal/cloud", token, len(table))
}

var placeholder = regexp.MustCompile(`\{[A-Za-z0-9.]+\}`)

// generated are the placeholders that are new for every resource.
var generated = []string{"hex", "hex8", "uuid", "digits", "upper6"}

// expand fills a template. A part that is not known yet makes the whole unknown.
func (c *Call) expand(template string) any {
	unknown := false
	filled := placeholder.ReplaceAllStringFunc(template, func(p string) string {
		name := strings.Trim(p, "{}")
		var v any
		switch name {
		case "region":
			v = c.Cloud.region
		case "account":
			v = c.Cloud.account
		case "partition":
			v = c.Cloud.partition()
		case "suffix":
			v = c.Cloud.suffix()
		case "id":
			v = c.ID
		default:
			if slices.Contains(generated, name) {
				v = c.Cloud.fresh(c.URN, name)
				break
			}
			if v = get(c.Out, name); v == nil {
				v = get(c.In, name)
			}
		}
		if hasUnknown(v) || (c.Preview && (name == "id" && c.ID == "" || slices.Contains(generated, name))) {
			unknown = true
		}
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	})
	if unknown {
		return Unknown{}
	}
	return filled
}

// check applies what depends on the inputs alone.
func (c *Call) check() error {
	var wrong []error
	t := c.Type
	for _, path := range t.Required {
		for _, block := range c.blocks(path) {
			if o, ok := block.value.(Object); ok && o[name(path)] == nil {
				wrong = append(wrong, fail("MissingParameter", "the input %s is required",
					strings.TrimPrefix(block.path+"."+name(path), ".")))
			}
		}
	}
	for _, group := range t.ExactlyOne {
		if n := c.given(group); n != 1 {
			wrong = append(wrong, fail("InvalidParameterCombination", "exactly one of %s is needed, %d are given",
				strings.Join(group, ", "), n))
		}
	}
	for _, group := range t.AtMostOne {
		if n := c.given(group); n > 1 {
			wrong = append(wrong, fail("InvalidParameterCombination", "only one of %s can be given",
				strings.Join(group, ", ")))
		}
	}
	for _, field := range t.Fields {
		for _, v := range find(c.In, field.Path) {
			c.count("bounds of single inputs")
			if err := field.check(v); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	for _, rule := range t.Check {
		c.count("rules of a service")
		wrong = append(wrong, rule(c))
	}
	return errors.Join(wrong...)
}

// blocks are the objects that a path's last step is in: the inputs themselves, or every block of a list.
func (c *Call) blocks(path string) []located {
	if i := strings.LastIndex(path, "."); i >= 0 {
		return find(c.In, path[:i])
	}
	return []located{{"", c.In}}
}

// name is the last step of a path.
func name(path string) string { return path[strings.LastIndex(path, ".")+1:] }

func (c *Call) given(paths []string) int {
	n := 0
	for _, path := range paths {
		if v := get(c.In, path); v != nil && v != "" {
			n++
		}
	}
	return n
}

func (f Field) check(at located) error {
	bad := func(format string, args ...any) error {
		return fail("ValidationError", "%s %s", at.path, fmt.Sprintf(format, args...))
	}
	switch v := at.value.(type) {
	case string:
		switch {
		case f.OneOf != nil && !slices.Contains(f.OneOf, v):
			return bad("is %q, which is none of %s", v, strings.Join(f.OneOf, ", "))
		case f.Max > 0 && (float64(len(v)) < f.Min || float64(len(v)) > f.Max):
			return bad("has %d characters; %g to %g are possible", len(v), f.Min, f.Max)
		case f.Like != nil && !f.Like.MatchString(v):
			return bad("is %q; possible are %s", v, f.Want)
		}
	case float64:
		if f.Max > 0 && (v < f.Min || v > f.Max) {
			return bad("is %g; %g to %g are possible", v, f.Min, f.Max)
		}
		if f.OneOf != nil && !slices.Contains(f.OneOf, fmt.Sprint(v)) {
			return bad("is %g, which is none of %s", v, strings.Join(f.OneOf, ", "))
		}
	}
	return nil
}

// decide applies references, uniqueness and the rules that look at the rest of the cloud.
func (c *Call) decide() error {
	var wrong []error
	for _, r := range c.Type.Refs {
		for _, at := range find(c.In, r.Path) {
			value, ok := at.value.(string)
			if !ok || value == "" {
				continue
			}
			c.count("references between resources")
			if c.Cloud.find(value, r.By, r.To...) != nil || (r.Accept != nil && r.Accept(c, value)) {
				continue
			}
			// What a preview knows by its name may be about to be created.
			if c.Preview && (!opaque.MatchString(value) || strings.HasPrefix(r.To[0], "kubernetes:")) {
				continue
			}
			code := r.NotFound
			if code == "" {
				code = notFound(r.To[0])
			}
			wrong = append(wrong, fail(code, "%s is %s, and there is no such %s", at.path, value, kinds(r.To)))
		}
	}
	for _, u := range c.Type.Unique {
		c.count("names and places that occur once")
		if other := c.twin(u.By); other != nil && !c.again(other) {
			code := u.Code
			if code == "" {
				code = "AlreadyExists"
			}
			wrong = append(wrong, fail(code, "%s of this %s is already taken by %s", c.values(u.By),
				kind(c.Type.Token), other.describe()))
		}
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for _, rule := range c.Type.Rules {
		c.count("rules of a service")
		wrong = append(wrong, rule(c))
	}
	return errors.Join(wrong...)
}

// count notes a check of something that is really created or changed.
func (c *Call) count(kind string) {
	if !c.Preview {
		c.Cloud.checks[kind]++
	}
}

// opaque matches ids that only AWS hands out, so that a preview that knows one speaks of something that exists.
var opaque = regexp.MustCompile(`^(?:[a-z]+-[0-9a-f]{8,17}|(?:tgw|eni|fs|fsap)-[a-z-]*[0-9a-f]{17})$`)

func (c *Call) values(paths []string) string {
	var parts []string
	for _, p := range paths {
		parts = append(parts, fmt.Sprintf("%s %v", p, get(c.In, p)))
	}
	return strings.Join(parts, ", ")
}

// twin is another live resource of the type with the same values. In a preview the resource may be about to go.
func (c *Call) twin(paths []string) *Resource {
	if c.Preview || c.unknown(paths...) {
		return nil
	}
	for _, r := range c.Cloud.all(c.Type.Token) {
		if c.Old != nil && r.ID == c.Old.ID {
			continue
		}
		same := slices.ContainsFunc(paths, func(p string) bool { return get(c.In, p) != nil })
		for _, p := range paths {
			same = same && fmt.Sprint(get(r.Inputs, p)) == fmt.Sprint(get(c.In, p))
		}
		if same {
			return r
		}
	}
	return nil
}

// again says that a create repeats one whose answer was lost, and that the service takes no offence.
func (c *Call) again(other *Resource) bool {
	return c.Type.Put && c.Old == nil && other.Lost && other.URN == c.URN
}

// holders are the live resources that keep this one from being deleted.
func (c *Call) holders() []*Resource {
	var holders []*Resource
	for _, r := range c.Cloud.live() {
		t := table[r.Token]
		if t == nil || r == c.Old {
			continue
		}
		for _, link := range t.Refs {
			if link.Free || !slices.Contains(link.To, c.Type.Token) {
				continue
			}
			if slices.Contains(texts(r.Inputs, link.Path), text(c.Old.Outputs, link.By)) {
				holders = append(holders, r)
				break
			}
		}
	}
	return holders
}

// kind is a type's short name: ec2 Subnet.
func kind(token string) string {
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return token
	}
	module, _, _ := strings.Cut(parts[1], "/")
	return module + " " + parts[2]
}

func kinds(tokens []string) string {
	names := make([]string, len(tokens))
	for i, t := range tokens {
		names[i] = kind(t)
	}
	return strings.Join(names, " or ")
}

// notFound is the error code of a missing resource as EC2 spells them; other services' rows name their own.
func notFound(token string) string {
	_, name, _ := strings.Cut(kind(token), " ")
	return "Invalid" + name + "ID.NotFound"
}
