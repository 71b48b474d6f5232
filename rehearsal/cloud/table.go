package cloud

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Type is one row of the table: all facts about a resource type. Paths are those of the Pulumi inputs, with [] for the
// elements of a list (defaultActions[].targetGroupArn). Templates have names in braces: {region}, {account},
// {partition}, {suffix} (the partition's DNS suffix), {hex} (17 digits), {hex8}, {uuid}, {digits}, {id}, or any input.
type Type struct {
	// Token is the Pulumi type.
	Token string
	// ID and ARN are templates. ARN is empty for a type without one.
	ID, ARN string
	// Name is the input for which the provider generates a name if it is left out.
	Name string
	// NamePrefix is the input that prevents the generated name.
	NamePrefix string
	// Scope is the input, or output, within which an id is unique.
	Scope string
	// Tags says that the provider's default tags are merged into the input tags.
	Tags bool
	// Required lists the required inputs, ExactlyOne and AtMostOne groups of inputs that exclude each other.
	Required              []string
	ExactlyOne, AtMostOne [][]string
	// Defaults are the provider's values for inputs that are left out.
	Defaults Object
	// Outputs are computed by the service: templates for strings, other values unchanged.
	Outputs Object
	// Secret lists properties that are always secret.
	Secret []string
	// Replace lists the inputs whose change needs a new resource; ReplaceWhen has those that need one under a
	// condition.
	Replace     []string
	ReplaceWhen map[string]func(Object) bool
	// DeleteFirst says that the provider deletes the old resource before it creates the new one, whatever its name:
	// DeleteBeforeReplace in pulumi-aws's provider/resources.go.
	DeleteFirst bool
	// Refs are the inputs that name other resources.
	Refs []Ref
	// Fields limit single inputs.
	Fields []Field
	// Unique lists groups of inputs; two live resources cannot have the same values of a group.
	Unique []Unique
	// Put says that creating it again, after the first answer was lost, overwrites it or finds it.
	Put bool
	// Overwrites says that creating it replaces a resource with the same id, if no call about that one awaits an
	// answer.
	Overwrites bool
	// Earlier says that the service keeps the inputs of every earlier version.
	Earlier bool
	// Stays reports whether a delete with these inputs leaves it in the account.
	Stays func(Object) bool
	// Check has the rules that need only the inputs; they run before anything is created.
	Check []Rule
	// Rules are checked against the cloud's state at the time of a create or update.
	Rules []Rule
	// After computes outputs and effects after a create or update is accepted.
	After func(*Call)
	// InUse is the service's error code for a delete while another resource refers to this one.
	InUse string
	// Protection is the input that makes the service refuse a delete.
	Protection string
	// Deletable are the rules of a delete besides references, Deleted its effects.
	Deletable []Rule
	Deleted   func(*Call)
}

// Ref is an input that names another resource.
type Ref struct {
	// Path is the input, To the possible types, By the property that it contains (id, arn, name, ...).
	Path string
	To   []string
	By   string
	// Free means that the service still deletes the other resource.
	Free bool
	// NotFound is the service's error code; empty for the default one.
	NotFound string
	// Accept allows a value that is no resource of this stack, such as an AWS managed policy.
	Accept func(*Call, string) bool
}

// Unique is a group of inputs with values that can occur once.
type Unique struct {
	By   []string
	Code string
}

// Field limits the values of one input.
type Field struct {
	Path string
	// Min and Max limit the length of a text or the size of a number; Max 0 is no limit.
	Min, Max float64
	// Like is a pattern of the whole text and Want its description.
	Like *regexp.Regexp
	Want string
	// OneOf lists the values.
	OneOf []string
}

// Rule is a rule that needs code. It returns all mistakes.
type Rule func(*Call) error

// ref makes the usual reference: by id, and the other resource cannot be deleted while the reference exists.
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

// table has all rows, by token.
var table map[string]*Type

// It is filled here, because the rules in the rows use the table themselves.
func init() {
	table = index(
		acmTypes, autoscalingTypes, backupTypes, cloudwatchTypes, networkTypes, instanceTypes, securityGroupTypes, transitGatewayTypes,
		appAutoscalingTypes, ecrTypes, ecsTypes, efsTypes, eksTypes, iamTypes, kmsTypes, kubernetesTypes, lambdaTypes, loadBalancerTypes,
		rdsTypes, rdsClusterTypes, route53Types, s3Types, secretsManagerTypes, ssmTypes,
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
