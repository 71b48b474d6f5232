package cloud

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
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
		acmTypes, autoscalingTypes, backupTypes, cloudwatchTypes, networkTypes, instanceTypes, securityGroupTypes, transitGatewayTypes,
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
