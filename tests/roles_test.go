package tests

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	roleType    = "aws:iam/role:Role"
	profileType = "aws:iam/instanceProfile:InstanceProfile"
)

// everyRole are stacks that together make every role.
func everyRole() map[string]map[string]any {
	backup := object("enabled", true)
	restore := object("fileSystem", "arn:aws:backup:eu-west-1:123456789012:recovery-point:11111111-2222-3333-4444-555555555555")
	return map[string]map[string]any{
		"ec2": object("backup", backup, "restoreFrom", restore), "members": wka(), "ecs": onECS(nil), "fargate": onFargate(nil), "eks": eks(),
		"existing cluster": existing(),
	}
}

func TestRolesHaveTheirBoundaryAndPath(t *testing.T) {
	const boundary = "arn:aws:iam::123456789012:policy/workloads"
	for name, stack := range everyRole() {
		t.Run(name, func(t *testing.T) {
			limited := maps.Clone(stack)
			limited["iam"] = object("permissionsBoundary", boundary, "path", "/identity/")
			p := deploy(t, limited)
			require.NotEmpty(t, p.All(roleType))
			for _, r := range p.All(roleType) {
				assert.Equal(t, boundary, r.Get("permissionsBoundary"), r.Name)
			}
			for _, r := range append(p.All(roleType), p.All(profileType)...) {
				assert.Equal(t, "/identity/", r.Get("path"), r.Name)
			}
			for _, r := range append(deploy(t, stack).All(roleType), p.All(profileType)...) {
				assert.Nil(t, r.Get("permissionsBoundary"), r.Name)
			}
		})
	}
}
