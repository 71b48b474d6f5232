package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Source is where configuration comes from: Pulumi's, or a test's map. Keys are full, such as wso2is:nodes.
type Source interface {
	// Keys lists the keys that are set, as far as they are known; unknown ones among them are reported.
	Keys() []string
	// Get returns a value: text for a scalar, JSON for an object.
	Get(key string) (string, bool)
	// IsSecret reports whether the value is stored encrypted.
	IsSecret(key string) bool
}

// Environment is what configuration is completed with. The functions ask AWS, and are called only for what a stack
// leaves out, after everything it says has been found right.
type Environment struct {
	Project, Stack string
	// Zones lists the region's availability zones.
	Zones func(region string) ([]string, error)
	// AccountID is the account's id.
	AccountID func() (string, error)
}

// Loaded is a cluster ready to be built, and what its team should know before it is.
type Loaded struct {
	Cluster  Cluster
	Warnings []string
}

const regionKey = "aws:region"

// Load reads, completes and checks a stack's configuration. Its error is Problems where the configuration is at fault:
// all that is wrong, at once.
func Load(src Source, env Environment) (Loaded, error) {
	c := Cluster{Project: env.Project, Stack: env.Stack}
	var problems Problems
	read(src, &c, &problems)
	if err := problems.err(); err != nil {
		return Loaded{}, err
	}
	c.fillIn()
	problems = append(problems, c.problems(false)...)
	if err := problems.err(); err != nil {
		return Loaded{}, err
	}
	if err := c.complete(env); err != nil {
		return Loaded{}, err
	}
	if err := c.problems(true).err(); err != nil {
		return Loaded{}, err
	}
	return Loaded{Cluster: c, Warnings: c.warnings()}, nil
}

// complete asks for what a stack leaves to its account and region.
func (c *Cluster) complete(env Environment) error {
	if c.Network.Adopt != nil {
		c.Network.Zones = c.adoptedZones()
	}
	if len(c.Network.Zones) == 0 {
		zones, err := env.Zones(c.Region)
		if err != nil {
			return fmt.Errorf("listing the availability zones of %s: %w", c.Region, err)
		}
		slices.Sort(zones)
		c.Network.Zones = zones[:min(len(zones), c.defaults().zones)]
	}
	if c.Fixed() {
		c.place()
		c.Nodes.Count = len(c.Nodes.Members)
	}
	if err := c.completeArtifacts(env); err != nil {
		return err
	}
	return nil
}

func (c *Cluster) completeArtifacts(env Environment) error {
	archive, driver := &c.Product.Archive, &c.Product.Driver
	if archive.Source != "" && driver.Source != "" {
		return nil
	}
	account, err := env.AccountID()
	if err != nil {
		return fmt.Errorf("asking for the account's id: %w", err)
	}
	bucket := fmt.Sprintf("s3://wso2is-artifacts-%s-%s/", account, c.Region)
	if archive.Source == "" {
		archive.Source = fmt.Sprintf("%swso2is-%s.zip", bucket, c.Version)
	}
	if driver.Source == "" {
		*driver = engines[c.Database.Engine].driver
		driver.Source = bucket + driver.Source
	}
	return nil
}

// read decodes every key of the namespace, strictly.
func read(src Source, c *Cluster, problems *Problems) {
	c.Region, _ = src.Get(regionKey)
	fields := fieldsOf(reflect.TypeFor[Cluster]())
	for _, key := range src.Keys() {
		name, ours := strings.CutPrefix(key, Namespace+":")
		if _, known := fields[name]; ours && !known {
			unknown(problems, name, name, slices.Sorted(maps.Keys(fields)))
		}
	}
	root := reflect.ValueOf(c).Elem()
	for name, field := range sorted(fields) {
		text, ok := src.Get(Namespace + ":" + name)
		if !ok {
			continue
		}
		target := root.FieldByIndex(field.Index)
		if target.Kind() == reflect.String {
			target.SetString(text)
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			problems.add(name, "write an object with the keys of docs/configuration.md", "%q is not an object", clip(text))
			continue
		}
		before := len(*problems)
		check(problems, name, value, field.Type, src.IsSecret(Namespace+":"+name))
		if len(*problems) > before {
			continue
		}
		if err := json.Unmarshal([]byte(text), target.Addr().Interface()); err != nil {
			problems.add(name, "write it as docs/configuration.md describes it", "%s", err)
		}
	}
}

const clipAt = 60

func clip(text string) string {
	if len(text) > clipAt {
		return text[:clipAt] + "…"
	}
	return text
}

func sorted(m map[string]reflect.StructField) func(func(string, reflect.StructField) bool) {
	return func(yield func(string, reflect.StructField) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = f
		}
	}
	return fields
}

// nearEnough is how alike, from 0 to 1, a misspelt key must be to a known one to be taken for it.
const nearEnough = 0.5

func unknown(problems *Problems, path, name string, known []string) {
	best, score := "", nearEnough
	for _, k := range known {
		if s := levenshtein.Similarity(strings.ToLower(name), strings.ToLower(k), nil); s > score {
			best, score = k, s
		}
	}
	if best != "" {
		problems.add(path, fmt.Sprintf("did you mean %q?", best), "no such key")
		return
	}
	problems.add(path, "write one of "+strings.Join(known, ", "), "no such key")
}

// check compares a decoded value with the type it is for, and reports every key that is unknown, of the wrong kind, or
// a secret in the clear.
func check(problems *Problems, path string, value any, t reflect.Type, encrypted bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Secret]() {
		text, ok := value.(string)
		switch {
		case !ok:
			problems.add(path, "write a string", "a secret is a string")
		case text != "" && !encrypted:
			problems.add(path, "run `pulumi config set --path --secret "+Namespace+":"+path+"` and give the value when asked",
				"the value is in plain text")
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		object, ok := value.(map[string]any)
		if !ok {
			problems.add(path, "write an object", "%v is not an object", value)
			return
		}
		fields := fieldsOf(t)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			f, known := fields[name]
			if !known {
				unknown(problems, path+"."+name, name, slices.Sorted(maps.Keys(fields)))
				continue
			}
			check(problems, path+"."+name, object[name], f.Type, encrypted)
		}
	case reflect.Map:
		object, ok := value.(map[string]any)
		if !ok {
			problems.add(path, "write an object", "%v is not an object", value)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			check(problems, path+"."+name, object[name], t.Elem(), encrypted)
		}
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			problems.add(path, "write a list", "%v is not a list", value)
			return
		}
		for i, item := range list {
			check(problems, fmt.Sprintf("%s[%d]", path, i), item, t.Elem(), encrypted)
		}
	case reflect.String:
		if _, ok := value.(string); !ok {
			problems.add(path, fmt.Sprintf("write it in quotes: %q", fmt.Sprint(value)), "%v is not a string", value)
		}
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			problems.add(path, "write true or false", "%v is not a boolean", value)
		}
	case reflect.Int:
		if n, ok := value.(float64); !ok || n != float64(int(n)) {
			problems.add(path, "write a whole number without quotes", "%v is not a whole number", value)
		}
	}
}
