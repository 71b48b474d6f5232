package nodeconfig

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inferred are the properties that the server itself adds to a read_write_ldap_unique_id store (the kernel's
// infer.json), if they matter to a directory.
var inferred = map[string]string{
	"GroupEntryObjectClass": "groupOfNames", "GroupNameAttribute": "cn", "MembershipAttribute": "member",
	"GroupNameSearchFilter": "(&(objectClass=groupOfNames)(cn=?))", "GroupNameListFilter": "(objectClass=groupOfNames)",
	"UserIDAttribute": "scimId", "UserIdSearchFilter": "(&(objectClass=person)(uid=?))", "GroupIdAttribute": "entryUUID",
	"EmptyRolesAllowed": "true",
}

// program finds a command. Without it, the test is skipped, or fails if every tool must be installed.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, at := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(at); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed; .ci/install installs it", name)
	}
	t.Skipf("%s is not installed; .ci/install installs it", name)
	return ""
}

// directory runs OpenLDAP with one branch for users and one for groups, and returns its URL.
func directory(t *testing.T) string {
	t.Helper()
	slapd, slapadd, dir := program(t, "slapd"), program(t, "slapadd"), t.TempDir()
	database := filepath.Join(dir, "database")
	require.NoError(t, os.Mkdir(database, 0o700))
	configuration := filepath.Join(dir, "slapd.conf")
	require.NoError(t, os.WriteFile(configuration, []byte(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=com"
rootdn "CN=Bind,DC=example,DC=com"
rootpw bind-password
directory `+database+"\n"), 0o600))
	ldif := filepath.Join(dir, "tree.ldif")
	require.NoError(t, os.WriteFile(ldif, []byte("dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\n"+
		"dc: example\no: example\n\ndn: ou=Users,dc=example,dc=com\nobjectClass: organizationalUnit\nou: Users\n\n"+
		"dn: ou=Groups,dc=example,dc=com\nobjectClass: organizationalUnit\nou: Groups\n"), 0o600))
	out, err := exec.Command(slapadd, "-f", configuration, "-l", ldif).CombinedOutput()
	require.NoError(t, err, "%s", out)
	url := fmt.Sprintf("ldap://127.0.0.1:%d", freePorts(t, 1))
	server := exec.Command(slapd, "-f", configuration, "-h", url, "-d", "0")
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	require.Eventually(t, func() bool {
		return exec.Command("bash", "-c", "</dev/tcp/"+strings.Replace(strings.TrimPrefix(url, "ldap://"), ":", "/", 1)).Run() == nil
	}, 20*time.Second, 50*time.Millisecond)
	return url
}

// TestReadWriteLdapWrites uses the rendered user store with a real OpenLDAP, in the product's own steps.
func TestReadWriteLdapWrites(t *testing.T) {
	java := program(t, "java")
	c := load(t, object{"userStore": object{
		"type": "readWriteLdap", "url": "ldap://ldap.example.com", "cidrs": []string{"10.0.0.0/16"},
		"bindDn": "CN=Bind,DC=example,DC=com", "bindPassword": marker, "userSearchBase": "OU=Users,DC=example,DC=com",
		"groupSearchBase": "OU=Groups,DC=example,DC=com",
	}}, "userStore")
	rendered := parse(t, render(t, input(c)))["user_store"].(map[string]any)["properties"].(map[string]any)
	try := func(t *testing.T, change map[string]string) (string, error) {
		properties := maps.Clone(inferred)
		for name, value := range rendered {
			properties[name] = unescaped(t, fmt.Sprint(value))
		}
		properties["ConnectionURL"], properties["ConnectionPassword"] = directory(t), "bind-password"
		maps.Copy(properties, change)
		var text strings.Builder
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			fmt.Fprintf(&text, "%s=%s\n", name, properties[name])
		}
		cmd := exec.Command(java, "testdata/Directory.java")
		cmd.Stdin = strings.NewReader(text.String())
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := try(t, nil)
	require.NoError(t, err, out)
	assert.NotContains(t, out, "NO: ")
	assert.Equal(t, 9, strings.Count(out, "yes: "), out)

	// Each of these was written or inferred earlier, and OpenLDAP says why it is wrong.
	for name, wrong := range map[string]struct {
		change map[string]string
		says   string
	}{
		"an attribute of WSO2's own schema": {map[string]string{"UserIDAttribute": "scimId", "ImmutableAttributes": ""},
			"scimId: attribute type undefined"},
		"an operational attribute is written": {map[string]string{"ImmutableAttributes": ""},
			"entryUUID: no user modification allowed"},
		"the id is looked for in the name": {map[string]string{"UserIdSearchFilter": inferred["UserIdSearchFilter"]},
			"NO: name by id"},
		"an empty group": {map[string]string{"EmptyRolesAllowed": "true"}, "object class 'groupOfNames' requires attribute 'member'"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _ := try(t, wrong.change)
			assert.Contains(t, out, wrong.says)
		})
	}
}
