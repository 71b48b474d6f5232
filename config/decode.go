package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

func enumOf[T ~string](values ...T) []string {
	var e []string
	for _, v := range values {
		e = append(e, string(v))
	}
	return e
}

// enums are the types with a fixed set of values.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[Profile]():           enumOf(Dev, Prod),
	reflect.TypeFor[Topology]():          enumOf(Topologies()...),
	reflect.TypeFor[LaunchType]():        enumOf(LaunchEC2, LaunchFargate),
	reflect.TypeFor[KubernetesVersion](): enumOf(KubernetesVersions()...),
	reflect.TypeFor[NodeImage]():         enumOf(AL2023, Bottlerocket),
	reflect.TypeFor[Registration]():      enumOf(TargetGroupBinding, Ingress),
	reflect.TypeFor[SecretStore]():       enumOf(SecretsCSI, SecretsKubernetes),
	reflect.TypeFor[FileSystemType]():    enumOf(EFS, NFS, SMB),
	reflect.TypeFor[DatabaseType]():      enumOf(RDSInstances, Aurora),
	reflect.TypeFor[LoadBalancerType]():  enumOf(ALB, NginxLoadBalancer, ExistingLoadBalancer),
	reflect.TypeFor[Addon]():             enumOf(Addons()...),
	reflect.TypeFor[product.Version]():   enumOf(product.Versions()...),
	reflect.TypeFor[NATStrategy]():       enumOf(NATNone, NATSingle, NATPerZone),
	reflect.TypeFor[CacheScenario](): enumOf(
		CacheLocalInvalidation, CacheLocal, CacheNone, CacheSelected, CacheDistributed),
	reflect.TypeFor[engine.Name]():    enumOf(engine.Names()...),
	reflect.TypeFor[Layout]():         enumOf(Separate, Single),
	reflect.TypeFor[LogicalName]():    enumOf(IdentityDB, SharedDB, UserDB, ConsentDB, SessionDB, ConfigDB, AgentDB),
	reflect.TypeFor[ThroughputMode](): enumOf(Elastic, Bursting, Provisioned),
	reflect.TypeFor[UserStoreType](): enumOf(
		DatabaseUserStore, ReadOnlyLDAP, ReadWriteLDAP, ReadOnlyActiveDirectory, ReadWriteActiveDirectory),
	reflect.TypeFor[Scheme](): enumOf(AWS, WKA, Multicast, AWSECS, Kubernetes),
}

// EnumValues returns the values of an enumeration type, or nil for other types.
func EnumValues(t reflect.Type) []string { return slices.Clone(enums[t]) }

// decoder fills a configuration from Pulumi's values. It reports wrong values and skips them, so that all others are
// still checked.
type decoder struct {
	Problems
	// encrypted says that the top-level key is a secret. Problems then do not repeat its values.
	encrypted bool
	// explicit are the paths of the numbers and booleans that the stack writes.
	explicit map[string]bool
}

// decode reads every key of the program's namespace and of the AWS provider's, strictly.
func decode(src Source, c *Cluster) Problems {
	d := decoder{explicit: map[string]bool{}}
	c.Region, _ = src.Get(RegionKey)
	d.namespace(src, "", reflect.ValueOf(c).Elem(), func(name string, t reflect.Type) bool {
		if holdsSecret(t) {
			return true
		}
		d.refuse(name, "store it without --secret", "it is encrypted, but AWS stores it in plain text")
		return false
	})
	d.namespace(src, ProviderNamespace, reflect.ValueOf(&c.Provider).Elem(), func(name string, _ reflect.Type) bool {
		c.Provider.Encrypted = append(c.Provider.Encrypted, strings.TrimPrefix(name, ProviderNamespace))
		return true
	})
	c.explicit = d.explicit
	return d.Problems
}

// namespace reads the keys with the prefix into a struct. Encrypted decides whether a key may be encrypted.
func (d *decoder) namespace(
	src Source, prefix string, root reflect.Value, encrypted func(name string, t reflect.Type) bool,
) {
	fields := fieldsOf(root.Type())
	for _, key := range src.Keys() {
		name, ours := strings.CutPrefix(key, qualified(prefix))
		if _, known := fields[name]; ours && !known && key != RegionKey {
			d.unknown(prefix+name, name, slices.Sorted(maps.Keys(fields)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		name := prefix + key
		text, ok := src.Get(qualified(name))
		if !ok {
			continue
		}
		field := fields[key]
		if d.encrypted = src.IsSecret(qualified(name)); d.encrypted && !encrypted(name, field.Type) {
			continue
		}
		if field.Type.Kind() == reflect.String || field.Type == reflect.TypeFor[Secret]() {
			d.value(name, text, root.FieldByIndex(field.Index), field.Tag)
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil || decoder.More() {
			d.refuse(name, "write an object with the keys of docs/configuration.md", "the value is not an object")
			continue
		}
		d.value(name, value, root.FieldByIndex(field.Index), field.Tag)
	}
}

// value decodes one value into its field.
func (d *decoder) value(path string, in any, out reflect.Value, tag reflect.StructTag) {
	if in == nil {
		return // a YAML key without a value
	}
	if out.Kind() == reflect.Pointer {
		target := reflect.New(out.Type().Elem())
		before := len(d.Problems)
		d.value(path, in, target.Elem(), tag)
		// A list or an object keeps its valid parts; a wrong scalar stays empty.
		if len(d.Problems) == before || target.Elem().Kind() == reflect.Struct {
			out.Set(target)
		}
		return
	}
	if secret, ok := out.Addr().Interface().(*Secret); ok {
		d.secret(path, in, secret)
		return
	}
	switch out.Kind() {
	case reflect.Struct:
		d.object(path, in, out)
	case reflect.Map:
		d.table(path, in, out)
	case reflect.Slice:
		list, ok := in.([]any)
		if !ok {
			d.refuse(path, "write a list", "the value is not a list")
			return
		}
		items := reflect.MakeSlice(out.Type(), len(list), len(list))
		for i, item := range list {
			d.value(fmt.Sprintf("%s[%d]", path, i), item, items.Index(i), tag)
		}
		out.Set(items)
	case reflect.Interface:
		out.Set(reflect.ValueOf(numbers(in)))
	case reflect.String:
		d.text(path, in, out)
	case reflect.Bool:
		b, ok := in.(bool)
		if !ok {
			d.refuse(path, "write true or false, without quotes", "%s is not a boolean", d.show(in))
			return
		}
		out.SetBool(b)
		d.explicit[path] = true
	case reflect.Int:
		d.number(path, in, out, tag)
	}
}

func (d *decoder) object(path string, in any, out reflect.Value) {
	short, shortens := TextField(out.Type())
	if _, text := in.(string); text && shortens {
		d.value(path, in, out.FieldByIndex(short.Index), short.Tag)
		return
	}
	object, ok := in.(map[string]any)
	if !ok {
		fix, what := "write an object with the keys of docs/configuration.md", "the value is not an object"
		if shortens {
			fix, what = fmt.Sprintf("write its %s as text, or an object with the keys of docs/configuration.md", KeyOf(short)),
				"the value is neither a text nor an object"
		}
		d.refuse(path, fix, "%s", what)
		return
	}
	fields := fieldsOf(out.Type())
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field, known := fields[name]
		if !known {
			d.unknown(path+"."+name, name, slices.Sorted(maps.Keys(fields)))
			continue
		}
		d.value(path+"."+name, object[name], out.FieldByIndex(field.Index), field.Tag)
	}
}

func (d *decoder) table(path string, in any, out reflect.Value) {
	object, ok := in.(map[string]any)
	if !ok {
		d.refuse(path, "write an object", "the value is not an object")
		return
	}
	table := reflect.MakeMapWithSize(out.Type(), len(object))
	names, limited := enums[out.Type().Key()]
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if limited && !slices.Contains(names, name) {
			d.unknown(path+"."+name, name, names)
			continue
		}
		item := reflect.New(out.Type().Elem()).Elem()
		d.value(path+"."+name, object[name], item, "")
		table.SetMapIndex(reflect.ValueOf(name).Convert(out.Type().Key()), item)
	}
	out.Set(table)
}

func (d *decoder) text(path string, in any, out reflect.Value) {
	text, ok := in.(string)
	if !ok {
		fix, shown := "write a string", d.show(in)
		if shown != hidden {
			fix = fmt.Sprintf("write it in quotes, such as %q", shown)
		}
		d.refuse(path, fix, "%s is not a string", shown)
		return
	}
	if allowed, limited := enums[out.Type()]; limited && !slices.Contains(allowed, text) {
		d.refuse(path, oneOf(allowed), "%q is not an allowed value", text)
		return
	}
	out.SetString(text)
}

func (d *decoder) number(path string, in any, out reflect.Value, tag reflect.StructTag) {
	text, _ := in.(json.Number)
	n, err := strconv.Atoi(text.String())
	if err != nil {
		d.refuse(path, "write a whole number, without quotes", "%s is not a whole number", d.show(in))
		return
	}
	low, high, bounded := Bounds(tag)
	switch {
	case n >= low && (n <= high || !bounded):
		out.SetInt(int64(n))
		d.explicit[path] = true
	case bounded:
		d.refuse(path, fmt.Sprintf("write %d to %d", low, high), "%d %s", n, wrong(tag))
	default:
		d.refuse(path, fmt.Sprintf("write %d or more", low), "%d %s", n, wrong(tag))
	}
}

// Bounds returns the smallest and the largest value of a number from its field's tag. Bounded reports whether there is
// a largest one.
func Bounds(tag reflect.StructTag) (low, high int, bounded bool) {
	for _, part := range strings.Split(tag.Get("jsonschema"), ",") {
		name, value, _ := strings.Cut(part, "=")
		n, _ := strconv.Atoi(value) // a test checks the tags
		switch name {
		case "minimum":
			low = n
		case "maximum":
			high, bounded = n, true
		}
	}
	return low, high, bounded
}

func wrong(tag reflect.StructTag) string {
	if text := tag.Get("wrong"); text != "" {
		return text
	}
	return "is out of range"
}

func (d *decoder) secret(path string, in any, out *Secret) {
	text, ok := in.(string)
	switch {
	case !ok:
		d.refuse(path, "write a string", "the value is not a string")
	case text != "" && !d.encrypted:
		d.refuse(path, "run `pulumi config set --path --secret "+qualified(path)+"` and give the value when asked",
			"the value is in plain text")
	default:
		*out = NewSecret(text)
	}
}

// hidden replaces a value that is encrypted, or no scalar.
const hidden = "the value"

// show returns a value as a problem may repeat it.
func (d *decoder) show(value any) string {
	const most = 60
	switch value.(type) {
	case string, json.Number, bool:
	default:
		return hidden
	}
	text := fmt.Sprint(value)
	switch {
	case d.encrypted:
		return hidden
	case len(text) > most:
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// nearEnough is the similarity, from 0 to 1, from which a misspelt key counts as a known one.
const nearEnough = 0.4

func (p *Problems) unknown(path, name string, known []string) {
	best, score := "", nearEnough
	for _, k := range known {
		if s := levenshtein.Similarity(strings.ToLower(name), strings.ToLower(k), nil); s > score {
			best, score = k, s
		}
	}
	if best != "" {
		p.refuse(path, "write "+best, "there is no such key")
		return
	}
	p.refuse(path, oneOf(known), "there is no such key")
}

func oneOf[T ~string](values []T) string {
	if len(values) == 1 {
		return "write " + string(values[0])
	}
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return "write one of " + strings.Join(names, ", ")
}

// fieldsOf returns the fields of a configuration type by key.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for i := range t.NumField() {
		f := t.Field(i)
		if name := KeyOf(f); name != "" {
			fields[name] = f
		}
	}
	return fields
}

// TextField returns the field that a text sets when it stands for the whole object, if the type has one.
func TextField(t reflect.Type) (reflect.StructField, bool) {
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("text") != "" {
				return f, true
			}
		}
	}
	return reflect.StructField{}, false
}

// KeyOf returns the key of a field, or an empty string for a field without one.
func KeyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return strings.TrimPrefix(name, "-")
}

func holdsSecret(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Secret]() {
		return true
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for _, f := range fieldsOf(t) {
		if holdsSecret(f.Type) {
			return true
		}
	}
	return false
}

// numbers converts JSON's numbers to Go's. TOML distinguishes 5 from 5.0, and the server needs whole numbers to be
// integers.
func numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		switch {
		case err != nil:
			return v // for validation to refuse
		case f == math.Trunc(f) && math.Abs(f) < 1<<53:
			return int64(f)
		}
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	}
	return value
}
