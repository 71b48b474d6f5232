package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
)

// provided is the name of the input with the keys of the AWS provider, such as aws:profile.
var provided = strings.TrimSuffix(config.ProviderNamespace, ":")

// argument returns the field of the component's arguments for an input, if the input is no key of a stack file.
func argument(name string) (reflect.StructField, bool) {
	args := reflect.TypeFor[cluster.Args]()
	for i := range args.NumField() {
		if name != "" && args.Field(i).Tag.Get("pulumi") == name {
			return args.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

// source has the keys that a program writes.
type source struct {
	values  map[string]string
	secrets map[string]bool
}

func (s source) Keys() []string { return slices.Sorted(maps.Keys(s.values)) }

func (s source) Get(key string) (string, bool) {
	value, ok := s.values[key]
	return value, ok
}

func (s source) IsSecret(key string) bool { return s.secrets[key] }

// written returns the configuration in a component's inputs. All its values must be known, since they decide which
// resources exist.
func written(inputs property.Map) (config.Source, config.Problems) {
	s := source{values: map[string]string{}, secrets: map[string]bool{}}
	var problems config.Problems
	add := func(key string, value property.Value) {
		plain, found := plainly(key, value)
		problems = append(problems, found...)
		if plain == nil {
			return // a key without a value
		}
		s.secrets[key] = value.HasSecrets()
		if text, ok := plain.(string); ok {
			s.values[key] = text
		} else if text, err := json.Marshal(plain); err == nil { // these types have a form in JSON
			s.values[key] = string(text)
		}
	}
	for name, value := range inputs.AllStable {
		if _, ok := argument(name); ok {
			continue
		}
		if name != provided || !value.IsMap() {
			add(config.Namespace+":"+name, value)
			continue
		}
		for key, value := range value.AsMap().AllStable {
			add(config.ProviderNamespace+key, value)
		}
	}
	return s, problems
}

// plainly converts a value to Go's types. Problems name the values that are not known.
func plainly(path string, value property.Value) (any, config.Problems) {
	var problems config.Problems
	switch {
	case value.IsMap():
		table := map[string]any{}
		for key, inner := range value.AsMap().AllStable {
			plain, found := plainly(path+"."+key, inner)
			table[key], problems = plain, append(problems, found...)
		}
		return table, problems
	case value.IsArray():
		list := []any{}
		for i, inner := range value.AsArray().AsSlice() {
			plain, found := plainly(fmt.Sprintf("%s[%d]", path, i), inner)
			list, problems = append(list, plain), append(problems, found...)
		}
		return list, problems
	case value.IsBool():
		return value.AsBool(), nil
	case value.IsNumber():
		return value.AsNumber(), nil
	case value.IsString():
		return value.AsString(), nil
	case value.IsNull():
		return nil, nil
	case value.IsComputed():
		return "", config.Problems{{
			Path: path, Problem: "the value is not known in a preview, but it decides which resources exist",
			Fix: "write a plain value, or one of the stack's configuration; only the inputs " + strings.Join(outputs(), ", ") +
				" can be outputs of other resources",
		}}
	}
	return "", config.Problems{{
		Path: path, Problem: "the value is an asset, an archive or a resource", Fix: "write a plain value",
	}}
}

// outputs are the inputs that may be outputs of other resources.
func outputs() []string {
	var names []string
	args := reflect.TypeFor[cluster.Args]()
	for i := range args.NumField() {
		if f := args.Field(i); f.Tag.Get("pulumi") != "" && f.Type.Kind() != reflect.String {
			names = append(names, f.Tag.Get("pulumi"))
		}
	}
	return names
}
