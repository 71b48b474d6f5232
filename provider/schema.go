package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
)

// The comments of config and components/cluster, from which docs/configuration.md is generated too.
//
//go:embed comments.json
var commentsFile []byte

// generator makes the package's schema from Go's types and their comments.
type generator struct {
	comments map[string]string
	types    map[string]schema.ComplexTypeSpec
}

// packageSchema returns the schema of the package. Its component has each key of a stack file as a plain input. Secrets
// and the component's own arguments are Pulumi inputs.
func packageSchema() schema.PackageSpec {
	g := &generator{comments: map[string]string{}, types: map[string]schema.ComplexTypeSpec{}}
	if err := json.Unmarshal(commentsFile, &g.comments); err != nil {
		panic(fmt.Errorf("comments.json: %w", err)) // the file is part of the program
	}
	keys := g.object(reflect.TypeFor[config.Cluster]())
	aws := g.object(reflect.TypeFor[config.Provider]())
	aws.Properties["region"] = g.property(reflect.TypeFor[config.Cluster](), "Region", plain("string"))
	token := g.token("AWS")
	g.types[token] = schema.ComplexTypeSpec{ObjectTypeSpec: aws}
	keys.Properties[provided] = schema.PropertySpec{TypeSpec: reference(token), Description: aws.Description}
	for name, argument := range g.object(reflect.TypeFor[cluster.Args]()).Properties {
		if _, key := keys.Properties[name]; key {
			panic(fmt.Errorf("the input %s is a key of a stack file too", name)) // every test of the schema fails
		}
		keys.Properties[name] = argument
	}
	outputs := g.object(reflect.TypeFor[cluster.Cluster]())
	outputs.Required = slices.Sorted(maps.Keys(outputs.Properties))
	return schema.PackageSpec{
		Name: config.Namespace, Version: version, DisplayName: "WSO2 Identity Server on AWS",
		Description: "A highly available cluster of WSO2 Identity Server on EC2, ECS or EKS.",
		License:     "Apache-2.0", Types: g.types,
		Resources: map[string]schema.ResourceSpec{cluster.Type: {
			ObjectTypeSpec: outputs, IsComponent: true, InputProperties: keys.Properties, RequiredInputs: keys.Required,
		}},
		Language: map[string]schema.RawMessage{
			"nodejs": schema.RawMessage(`{"respectSchemaVersion":true}`),
			"python": schema.RawMessage(`{"respectSchemaVersion":true,"pyproject":{"enabled":true}}`),
			"go":     schema.RawMessage(`{"respectSchemaVersion":true}`),
			"csharp": schema.RawMessage(`{"respectSchemaVersion":true}`),
		},
	}
}

func (g *generator) token(name string) string {
	return strings.TrimSuffix(cluster.Type, "Cluster") + name
}

func reference(token string) schema.TypeSpec {
	return schema.TypeSpec{Ref: "#/types/" + token, Plain: true}
}

func plain(kind string) schema.TypeSpec { return schema.TypeSpec{Type: kind, Plain: true} }

// comment returns the comment of a type, or of one of its fields.
func (g *generator) comment(t reflect.Type, field string) string {
	module := strings.TrimSuffix(reflect.TypeFor[config.Cluster]().PkgPath(), "config")
	key := strings.TrimPrefix(t.PkgPath(), module) + "." + t.Name()
	if field != "" {
		key += "." + field
	}
	return g.comments[key]
}

func (g *generator) property(owner reflect.Type, field string, of schema.TypeSpec) schema.PropertySpec {
	return schema.PropertySpec{TypeSpec: of, Description: g.comment(owner, field)}
}

// object describes a struct. The names of its properties are the keys of a stack file, or Pulumi's tags.
func (g *generator) object(t reflect.Type) schema.ObjectTypeSpec {
	spec := schema.ObjectTypeSpec{Type: "object", Description: g.comment(t, ""), Properties: map[string]schema.PropertySpec{}}
	for i := range t.NumField() {
		f := t.Field(i)
		name := config.KeyOf(f)
		if tag := f.Tag.Get("pulumi"); tag != "" {
			name = tag
		}
		if name == "" {
			continue
		}
		p := g.property(t, f.Name, g.typeOf(f.Type))
		p.Secret = f.Type == reflect.TypeFor[config.Secret]()
		spec.Properties[name] = p
		if json := f.Tag.Get("json"); json != "" && !strings.Contains(json, ",omitempty") {
			spec.Required = append(spec.Required, name)
		}
	}
	return spec
}

// typeOf describes a type. Only Pulumi's own types and secrets are not plain.
func (g *generator) typeOf(t reflect.Type) schema.TypeSpec {
	text := schema.TypeSpec{Type: "string"}
	switch t {
	case reflect.TypeFor[config.Secret](), reflect.TypeFor[pulumi.StringInput](), reflect.TypeFor[pulumi.StringOutput]():
		return text
	case reflect.TypeFor[pulumi.StringMapOutput]():
		return schema.TypeSpec{Type: "object", AdditionalProperties: &text}
	}
	if values := config.EnumValues(t); values != nil {
		return g.enum(t, values)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.typeOf(t.Elem())
	case reflect.Struct:
		return g.structure(t)
	case reflect.Map, reflect.Slice:
		inner := g.typeOf(t.Elem())
		if t.Kind() == reflect.Slice {
			return schema.TypeSpec{Type: "array", Items: &inner, Plain: inner.Plain}
		}
		return schema.TypeSpec{Type: "object", AdditionalProperties: &inner, Plain: inner.Plain}
	case reflect.Bool:
		return plain("boolean")
	case reflect.Int:
		return plain("integer")
	case reflect.Interface:
		return schema.TypeSpec{Ref: "pulumi.json#/Any", Plain: true}
	}
	return plain("string")
}

func (g *generator) structure(t reflect.Type) schema.TypeSpec {
	token := g.token(typeName(t))
	if _, done := g.types[token]; !done {
		g.types[token] = schema.ComplexTypeSpec{ObjectTypeSpec: g.object(t)}
	}
	if _, text := config.TextField(t); text {
		return schema.TypeSpec{OneOf: []schema.TypeSpec{plain("string"), reference(token)}, Plain: true}
	}
	of := reference(token)
	of.Plain = strings.HasSuffix(t.PkgPath(), "/config") // the component's own arguments have Pulumi inputs
	return of
}

func (g *generator) enum(t reflect.Type, values []string) schema.TypeSpec {
	spec := schema.ComplexTypeSpec{ObjectTypeSpec: schema.ObjectTypeSpec{Type: "string", Description: g.comment(t, "")}}
	for _, value := range values {
		spec.Enum = append(spec.Enum, schema.EnumValueSpec{Name: enumName(value), Value: value})
	}
	token := g.token(typeName(t))
	g.types[token] = spec
	return reference(token)
}

// typeName is the name of a type in all languages. Other packages than config have types with the same name.
func typeName(t reflect.Type) string {
	if dir := path.Base(t.PkgPath()); dir != "config" && dir != "cluster" {
		return strings.ToUpper(dir[:1]) + dir[1:] + t.Name()
	}
	return t.Name()
}

// enumName makes a name for all languages from a value such as vpc-cni or 7.3.0.
func enumName(value string) string {
	var name strings.Builder
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '-' || r == '_' }) {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	if text := strings.ReplaceAll(name.String(), ".", "_"); text[0] < '0' || text[0] > '9' {
		return text
	}
	return "V" + strings.ReplaceAll(name.String(), ".", "_")
}
