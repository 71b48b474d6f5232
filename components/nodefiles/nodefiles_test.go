package nodefiles

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const objectType = "aws:s3/bucketObjectv2:BucketObjectv2"

func hosts(host string) map[string]pulumi.StringOutput {
	return map[string]pulumi.StringOutput{config.MainInstance: pulumi.String(host).ToStringOutput()}
}

// files returns the bucket with the files of one node, and the node's references to them.
func files(t *testing.T, c config.Cluster, host, name string, node nodeconfig.Node) (*componenttest.Plan, *Node) {
	t.Helper()
	var made *Node
	p := componenttest.Run(t, func(ctx *pulumi.Context) error {
		store, err := New(ctx, componenttest.Scope(), pulumi.String("arn:key"), nil)
		if err != nil {
			return err
		}
		made, err = store.Node(ctx, c, hosts(host), nodeconfig.Discovery{SecurityGroup: "nodes"}, name, node)
		return err
	})
	return p, made
}

func TestANodesFileLiesUnderItsChecksumAndStays(t *testing.T) {
	c := configtest.Load(t, nil).Cluster
	p, node := files(t, c, "db.example.com", Shared, nodeconfig.Node{})
	object := p.One(t, objectType, "nodes/all/deployment.toml")
	content := object.Get("content").(string)
	assert.Contains(t, content, "db.example.com:5432")
	assert.Contains(t, object.Get("key"), Sum(content), "a scale-out in the middle of an update finds the file that it was told of")
	assert.True(t, object.Retain, "an instance that has only just been launched may still have to fetch the earlier one")
	assert.True(t, object.DependsOn("config"), "no object is written before the bucket is closed: %v", object.Dependencies)
	assert.Empty(t, node.Hazelcast, "the release finds its members by deployment.toml alone")
	assert.Len(t, p.All(objectType), 1)

	other, _ := files(t, c, "other.example.com", Shared, nodeconfig.Node{})
	assert.NotEqual(t, object.Get("key"), other.One(t, objectType, "nodes/all/deployment.toml").Get("key"))
}

func TestAMembersFilesAreItsOwn(t *testing.T) {
	c := configtest.Load(t, map[string]any{"clustering": map[string]any{"scheme": "wka"}}).Cluster
	for i, m := range c.Nodes.Members {
		p, _ := files(t, c, "db.example.com", m.Name, nodeconfig.Node{Address: m.Address, Port: m.Port, CreateAdmin: i == 0})
		content := p.One(t, objectType, "nodes/"+m.Name+"/deployment.toml").Get("content").(string)
		assert.Contains(t, content, "local_member_host = '"+m.Address+"'")
		assert.Equal(t, i == 0, strings.Contains(content, "create_admin_account = true"), "the first member creates the administrator")
	}
}

// TestATargetedUpdateWithoutADatabaseOmitsItsReaders checks this for an update with --target: no file may have an empty
// host.
func TestATargetedUpdateWithoutADatabaseOmitsItsReaders(t *testing.T) {
	p, _ := files(t, configtest.Load(t, nil).Cluster, "", Shared, nodeconfig.Node{})
	assert.Equal(t, "", p.One(t, objectType, "nodes/all/deployment.toml").Get("content"))
}

func TestTheSchemaProgramIsToldEveryDatabaseAndNoSecret(t *testing.T) {
	c := configtest.Load(t, map[string]any{"database": map[string]any{"logical": map[string]any{"session": map[string]any{}}}}).Cluster
	text := SchemaProperties(c, map[string]string{config.MainInstance: "db.example.com"})
	for _, name := range []string{"wso2identity", "wso2shared", "wso2session"} {
		assert.Contains(t, text, name)
	}
	assert.Contains(t, text, "db.example.com:5432")
	assert.NotContains(t, strings.ToLower(text), "password")
}

func TestFilesOfTheTeamAreNamedByARN(t *testing.T) {
	assert.Equal(t, []string{"arn:aws:s3:::a/driver.jar", "arn:aws:s3:::b/ca.pem"}, ARNs(componenttest.Scope(),
		config.Artifact{Source: "s3://b/ca.pem"}, config.Artifact{Source: "s3://a/driver.jar"}, config.Artifact{Source: "s3://b/ca.pem"},
		config.Artifact{Source: "https://example.com/x.pem"}, config.Artifact{}),
		"once each, and nothing that is elsewhere")
}
