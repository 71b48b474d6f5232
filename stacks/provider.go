package stacks

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/config"
)

// providerArgs passes every key of the namespace aws to the explicit provider, which reads none of them by itself. A
// key and its argument have the same name. The default tags mark every resource as this stack's.
func providerArgs(ctx *pulumi.Context, c config.Cluster) (*aws.ProviderArgs, error) {
	args := &aws.ProviderArgs{}
	if err := fillArgs(reflect.ValueOf(c.Provider), reflect.ValueOf(args).Elem(), c.Provider.Encrypted); err != nil {
		return nil, err
	}
	tags := pulumi.StringMap{"project": pulumi.String(ctx.Project()), "stack": pulumi.String(ctx.Stack())}
	for key, value := range c.Tags {
		tags[key] = pulumi.String(value)
	}
	if given := c.Provider.DefaultTags; given != nil {
		for key, value := range given.Tags {
			tags[key] = pulumi.String(value)
		}
	}
	args.Region, args.DefaultTags = pulumi.String(c.Region), aws.ProviderDefaultTagsArgs{Tags: tags}
	return args, nil
}

// objects are the arguments that are objects, by the interface of the argument's field.
var objects = map[reflect.Type]reflect.Type{
	reflect.TypeFor[aws.ProviderAssumeRolePtrInput]():                reflect.TypeFor[aws.ProviderAssumeRoleArgs](),
	reflect.TypeFor[aws.ProviderAssumeRoleWithWebIdentityPtrInput](): reflect.TypeFor[aws.ProviderAssumeRoleWithWebIdentityArgs](),
	reflect.TypeFor[aws.ProviderDefaultTagsPtrInput]():               reflect.TypeFor[aws.ProviderDefaultTagsArgs](),
	reflect.TypeFor[aws.ProviderIgnoreTagsPtrInput]():                reflect.TypeFor[aws.ProviderIgnoreTagsArgs](),
}

// fillArgs copies the values of a configuration's fields to the arguments' fields of the same names.
func fillArgs(from, to reflect.Value, encrypted []string) error {
	for i := range from.NumField() {
		field := from.Type().Field(i)
		value := from.Field(i)
		if field.Tag.Get("json") == "-" || value.IsZero() {
			continue
		}
		target := to.FieldByName(field.Name)
		if !target.IsValid() {
			return fmt.Errorf("the AWS provider has no argument %s", field.Name)
		}
		input, err := argOf(value, target.Type())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(encrypted, func(key string) bool { return key == config.KeyOf(field) }) {
			input = pulumi.ToSecret(input).(pulumi.Input)
		}
		target.Set(reflect.ValueOf(input))
	}
	return nil
}

// argOf converts a configured value to an argument.
func argOf(value reflect.Value, target reflect.Type) (pulumi.Input, error) {
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case config.Secret:
		return pulumi.ToSecret(pulumi.String(v.Reveal())).(pulumi.StringOutput), nil
	case string:
		return pulumi.String(v), nil
	case bool:
		return pulumi.Bool(v), nil
	case int:
		return pulumi.Int(v), nil
	case []string:
		return pulumi.ToStringArray(v), nil
	case map[string]string:
		return pulumi.ToStringMap(v), nil
	case []map[string]string:
		return endpoints(v)
	}
	args := reflect.New(objects[target]).Elem()
	if err := fillArgs(value, args, nil); err != nil {
		return nil, err
	}
	return args.Interface().(pulumi.Input), nil
}

// endpoints are the URLs of services. The fields of the provider's arguments list the services that it knows.
func endpoints(given []map[string]string) (pulumi.Input, error) {
	all := aws.ProviderEndpointArray{}
	for i, services := range given {
		var args aws.ProviderEndpointArgs
		fields := reflect.TypeOf(args)
		for service, url := range services {
			known := false
			for j := range fields.NumField() {
				if fields.Field(j).Tag.Get("pulumi") == service {
					reflect.ValueOf(&args).Elem().Field(j).Set(reflect.ValueOf(pulumi.String(url)))
					known = true
				}
			}
			if !known {
				return nil, config.Problems{{
					Path: fmt.Sprintf("aws:endpoints[%d].%s", i, service), Problem: "the AWS provider knows no such service",
					Fix: "write one as the provider spells it, such as s3 or secretsmanager",
				}}
			}
		}
		all = append(all, args)
	}
	return all, nil
}
