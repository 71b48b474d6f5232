package cloud

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Call is one request to the cloud, as rules see it. The cloud is locked during the call.
type Call struct {
	Cloud *Cloud
	Type  *Type
	// Name is the resource's Pulumi name, URN its URN.
	Name, URN string
	// ID is the resource's id; it is not known in the preview of a create.
	ID string
	// In are the inputs, Out the outputs that the call makes.
	In, Out Object
	// Old is the resource before an update or delete.
	Old *Resource
	// Preview says that the call is a preview and changes nothing.
	Preview bool
	// Known is the resource before an update as the engine knows it.
	Known Object
	// Contents are the data in the new resource.
	Contents string
	// Failed is the reason why the new resource is not ready: it exists, but the call fails.
	Failed error
}

// text reads an input.
func (c *Call) text(path string) string { return text(c.In, path) }

// unknown reports whether one of the paths is not known yet, so that a rule cannot decide.
func (c *Call) unknown(paths ...string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return unknownAt(c.In, p) })
}

// ServiceError is an error of a service: a code and a message.
type ServiceError struct{ Code, Message string }

func (e *ServiceError) Error() string { return e.Code + ": " + e.Message }

func fail(code, format string, args ...any) error {
	return &ServiceError{code, fmt.Sprintf(format, args...)}
}

// check applies the rules that need the inputs alone.
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

// blocks returns the objects that contain a path's last step: the inputs themselves, or every block of a list.
func (c *Call) blocks(path string) []located {
	if i := strings.LastIndex(path, "."); i >= 0 {
		return find(c.In, path[:i])
	}
	return []located{{"", c.In}}
}

// name returns the last step of a path.
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

// decide applies references, uniqueness and the rules that read the rest of the cloud.
func (c *Call) decide() error {
	var wrong []error
	for _, r := range c.Type.Refs {
		for _, at := range find(c.In, r.Path) {
			value, ok := at.value.(string)
			if !ok || value == "" {
				continue
			}
			c.count("references between resources")
			if c.Cloud.lenient || c.Cloud.find(value, r.By, r.To...) != nil || (r.Accept != nil && r.Accept(c, value)) {
				continue
			}
			// A preview may name a resource that the update will create.
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
		if other := c.duplicate(u.By); other != nil && !c.repeatsLostCall(other) {
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

// count counts a check of a real create or update.
func (c *Call) count(kind string) {
	if !c.Preview {
		c.Cloud.checks[kind]++
	}
}

// opaque matches ids that only AWS makes. If a preview knows one, its resource exists.
var opaque = regexp.MustCompile(`^(?:[a-z]+-[0-9a-f]{8,17}|(?:tgw|eni|fs|fsap)-[a-z-]*[0-9a-f]{17})$`)

func (c *Call) values(paths []string) string {
	var parts []string
	for _, p := range paths {
		parts = append(parts, fmt.Sprintf("%s %v", p, get(c.In, p)))
	}
	return strings.Join(parts, ", ")
}

// duplicate returns another live resource of the type with the same values. In a preview, that resource may be about to be
// deleted.
func (c *Call) duplicate(paths []string) *Resource {
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

// repeatsLostCall reports whether a create repeats one with a lost answer, and the service allows this.
func (c *Call) repeatsLostCall(other *Resource) bool {
	return c.Type.Put && c.Old == nil && other.Lost && other.URN == c.URN
}

// dependents returns the live resources that prevent this one's deletion.
func (c *Call) dependents() []*Resource {
	var holders []*Resource
	users := c.Cloud.live()
	if global(c.Type.Token) {
		users = c.Cloud.everywhere()
	}
	for _, r := range users {
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

// kind returns a type's short name: ec2 Subnet.
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

// notFound returns the error code of a missing resource in EC2's spelling; rows of other services name their own.
func notFound(token string) string {
	_, name, _ := strings.Cut(kind(token), " ")
	return "Invalid" + name + "ID.NotFound"
}
