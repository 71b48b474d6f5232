package cluster_test

import (
	"reflect"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/cluster"
)

// TestEveryInputHasANameInOtherLanguages checks the tags, from which the package for other languages has its inputs.
func TestEveryInputHasANameInOtherLanguages(t *testing.T) {
	input := reflect.TypeFor[pulumi.Input]()
	var check func(reflect.Type) int
	check = func(of reflect.Type) (inputs int) {
		for i := range of.NumField() {
			f, kind := of.Field(i), of.Field(i).Type
			for kind.Kind() == reflect.Map || kind.Kind() == reflect.Slice || kind.Kind() == reflect.Pointer {
				kind = kind.Elem()
			}
			nested := kind.Kind() == reflect.Struct && kind.PkgPath() == of.PkgPath() && check(kind) > 0
			if nested || kind.Implements(input) {
				inputs++
				assert.NotEmpty(t, f.Tag.Get("pulumi"), "%s.%s is a Pulumi input, and has no tag pulumi", of.Name(), f.Name)
			}
		}
		return inputs
	}
	assert.Positive(t, check(reflect.TypeFor[cluster.Args]()))
}
