package awskit

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Resolve makes a text from values that are known only once AWS has created them. In has the values: it is one input,
// or a struct, slice or map of inputs. Known has the same shape, with a string for each input. A struct that is generic
// in the type of its values serves as both. So the text can read nothing else, and a misspelt value does not compile:
//
//	type nodeValues[T any] struct{ Bucket, Key T }
//
//	awskit.Resolve(nodeValues[pulumi.StringInput]{…}, func(known nodeValues[string]) (string, error) {…})
//
// A resource that uses the text depends on the values in In and on no other resource. A struct's fields must be
// exported, and each must be set: Resolve panics if one is nil.
func Resolve[In, Known any](in In, text func(Known) (string, error)) pulumi.StringOutput {
	var inputs pulumi.StringArray
	var shape Known
	walk(fmt.Sprintf("%T", shape), reflect.ValueOf(&in).Elem(), reflect.ValueOf(&shape).Elem(), func(value pulumi.StringInput) string {
		inputs = append(inputs, value)
		return ""
	})
	return inputs.ToStringArrayOutput().ApplyT(func(values []string) (string, error) {
		var known Known
		walk("", reflect.ValueOf(&in).Elem(), reflect.ValueOf(&known).Elem(), func(pulumi.StringInput) string {
			value := values[0]
			values = values[1:]
			return value
		})
		return text(known)
	}).(pulumi.StringOutput)
}

// PolicyOf makes a policy document from values that are known only once AWS has created them. See Resolve.
func PolicyOf[In, Known any](in In, document func(Known) Policy) pulumi.StringOutput {
	return Resolve(in, func(known Known) (string, error) { return document(known).JSON(), nil })
}

// Optional is the input, or an empty text where there is none.
func Optional(input pulumi.StringInput) pulumi.StringInput {
	if input == nil {
		return pulumi.String("")
	}
	return input
}

// Inputs converts outputs to inputs for Resolve and the maps of Pulumi.
func Inputs[K comparable](outputs map[K]pulumi.StringOutput) map[K]pulumi.StringInput {
	inputs := make(map[K]pulumi.StringInput, len(outputs))
	for key, output := range outputs {
		inputs[key] = output
	}
	return inputs
}

// Values returns the values of a map in the order of its keys.
func Values[K ~string, V pulumi.StringInput](m map[K]V) []pulumi.StringInput {
	var list []pulumi.StringInput
	for _, value := range Sorted(m) {
		list = append(list, value)
	}
	return list
}

// walk sets a string in known for each input in in, always in the same order. Path names in in a panic.
func walk(path string, in, known reflect.Value, read func(pulumi.StringInput) string) {
	if in.CanInterface() {
		if input, ok := in.Interface().(pulumi.StringInput); ok {
			known.SetString(read(input))
			return
		}
	}
	switch in.Kind() {
	case reflect.Struct:
		for i := range in.NumField() {
			walk(path+"."+in.Type().Field(i).Name, in.Field(i), known.Field(i), read)
		}
	case reflect.Slice:
		known.Set(reflect.MakeSlice(known.Type(), in.Len(), in.Len()))
		for i := range in.Len() {
			walk(fmt.Sprintf("%s[%d]", path, i), in.Index(i), known.Index(i), read)
		}
	case reflect.Map:
		known.Set(reflect.MakeMapWithSize(known.Type(), in.Len()))
		keys := in.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, key := range keys {
			value := reflect.New(known.Type().Elem()).Elem()
			walk(fmt.Sprintf("%s[%s]", path, key), in.MapIndex(key), value, read)
			known.SetMapIndex(key, value)
		}
	default:
		panic(path + " has no input")
	}
}
