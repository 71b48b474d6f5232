package bootstrap

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

// example is a complete node.
func example(version product.Version) Args {
	return Args{
		Region: "eu-west-1", ClusterName: "demo", NodeName: "node-1", NodeAddress: "10.0.1.10", Hostname: "id.example.com",
		Version: version,
		Archive: config.Artifact{
			Source: "s3://artifacts/wso2is-" + string(version) + ".zip", SHA256: strings.Repeat("a", 64),
		},
		Driver: config.Artifact{Source: "s3://artifacts/postgresql-42.7.14.jar", SHA256: strings.Repeat("b", 64)},
		Bucket: "demo-files", Programs: "programs/",
		Files: []File{{
			Key: "nodes/node-1/deployment.toml", SHA256: strings.Repeat("c", 64), Path: "repository/conf/deployment.toml",
		}},
		FileSystem: FileSystem{ID: "fs-0123", Userstores: "fsap-1", Tenants: "fsap-2"},
		Secrets: []Secret{
			{Variable: "WSO2_ADMIN_PASSWORD", ID: "demo/admin-password"},
			{
				Variable: "WSO2_ENDPOINT_PASSWORD", ID: "demo/endpoint-password",
				HashVariable: "WSO2_ENDPOINT_PASSWORD_HASH",
			},
			{Variable: "WSO2_DB_USER_USERNAME", ID: "dba/user", Property: "username"},
			{Variable: "WSO2_DB_USER_PASSWORD", ID: "dba/user", Property: "password"},
		},
		Keystore: Keystore{
			SecretID: "demo/keystore", PasswordSecretID: "demo/keystore-password", File: "wso2is.p12",
			TLSFile: "wso2is-tls.p12", TruststoreFile: "client-truststore.p12",
		},
		HazelcastPort: 5701, HeapMiB: 2048, JVMOptions: []string{"-Duser.timezone=UTC", "-Da=b"},
		LogGroups:  LogGroups{Server: "/demo/server", Audit: "/demo/audit", Access: "/demo/access", Bootstrap: "/demo/boot"},
		MinMembers: 2,
	}
}

// schemaExample is the instance that makes the schema.
func schemaExample(version product.Version) Args {
	a := example(version)
	a.Files, a.FileSystem, a.HazelcastPort, a.MinMembers, a.HeapMiB, a.JVMOptions = nil, FileSystem{}, 0, 0, 0, nil
	a.Secrets = []Secret{
		{Variable: EnvEncryptionKey, ID: "demo/encryption-key"}, {Variable: "SCHEMA_IDENTITY_PASSWORD", ID: "demo/database-identity"},
	}
	a.NodeName, a.NodeAddress = "schema", ""
	a.Keystore = Keystore{TruststoreFile: a.Keystore.TruststoreFile}
	a.Databases = []Database{{
		Logical: config.IdentityDB, Engine: engine.Postgres, Name: "wso2identity",
		URL: "jdbc:postgresql://db.example.com:5432/{database}?sslmode=require", MasterSecretARN: "rds!master",
		Scripts: []string{"dbscripts/identity/postgresql.sql", "dbscripts/consent/postgresql.sql"},
	}}
	return a
}

func TestUserDataGolden(t *testing.T) {
	for golden, a := range map[string]Args{
		"testdata/user-data.sh": example(product.V7_1_0), "testdata/schema.sh": schemaExample(product.V7_1_0),
	} {
		data, err := UserData(a)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(golden, []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := read(t, golden); data != want {
			t.Errorf("user data differs from %s; rewrite it with go test -update if that is right", golden)
		}
	}
}

// largest is a node of the largest configuration: every secret, all by ARN. largestSchema makes every logical database.
func largest() Args {
	a := example(product.V7_3_0)
	arn := "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:"
	name := "twenty-char-cluster0"
	a.ClusterName = name
	a.Secrets = nil
	for _, secret := range []string{
		"admin-password", "encryption-key", "keystore-password", "endpoint-password", "userstore-password",
		"previous-encryption-key", "aws-access-key", "aws-secret-key",
	} {
		a.Secrets = append(a.Secrets, Secret{
			Variable: "WSO2_" + strings.ToUpper(strings.ReplaceAll(secret, "-", "_")), ID: arn + name + "/" + secret + "-AbCdEf",
		})
	}
	for _, logical := range []config.LogicalName{"identity", "shared", "user", "consent", "session", "config", "agent"} {
		password := arn + name + "/database-" + string(logical) + "-AbCdEf"
		a.Secrets = append(a.Secrets, Secret{
			Variable: "WSO2_DB_" + strings.ToUpper(string(logical)) + "_PASSWORD", ID: password,
		}, Secret{
			Variable: "WSO2_DB_" + strings.ToUpper(string(logical)) + "_B_PASSWORD", ID: strings.Replace(password, "-AbCdEf", "-b-AbCdEf", 1),
		})
	}
	a.Files = append(a.Files, File{
		Key: "nodes/node-1/hazelcast.xml", SHA256: strings.Repeat("d", 64), Path: "repository/conf/etc/hazelcast.xml",
	})
	a.LifecycleHook = &LifecycleHook{Name: name + "-launch", Group: name + "-nodes"}
	a.CABundle = config.Artifact{Source: "s3://" + name + "-artifacts/bundle.pem", SHA256: strings.Repeat("e", 64)}
	a.CABundlePath = "/opt/wso2is/security/rds-ca.pem"
	return a
}

func largestSchema() Args {
	a := schemaExample(product.V7_3_0)
	a.ClusterName, a.Databases, a.Secrets = largest().ClusterName, nil, nil
	for _, s := range largest().Secrets {
		if strings.HasSuffix(s.Variable, "ENCRYPTION_KEY") {
			a.Secrets = append(a.Secrets, Secret{Variable: strings.Replace(s.Variable, "WSO2", "SCHEMA", 1), ID: s.ID})
		}
		logical, ok := strings.CutPrefix(s.Variable, "WSO2_DB_")
		if !ok || strings.HasSuffix(logical, "_B_PASSWORD") {
			continue
		}
		a.Secrets = append(a.Secrets, Secret{Variable: "SCHEMA_" + logical, ID: s.ID})
		name := strings.ToLower(strings.TrimSuffix(logical, "_PASSWORD"))
		a.Databases = append(a.Databases, Database{
			Logical: config.LogicalName(name), Engine: engine.Oracle, Name: "wso2_" + name + "_of_thirty_char",
			URL: "jdbc:oracle:thin:@//twenty-char-cluster0-main.abcdefghijkl.us-gov-west-1.rds.amazonaws.com:1521/" +
				"ORCL",
			Properties: "oracle.net.encryption_client=REQUIRED;oracle.net.encryption_types_client=(AES256)",
			MasterSecretARN: "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:" +
				"rds!db-01234567-89ab-cdef-0123-456789abcdef-AbCdEf",
			Scripts: []string{"dbscripts/oracle.sql", "dbscripts/identity/oracle.sql", "dbscripts/consent/oracle.sql"},
		})
	}
	return a
}

func TestUserDataFitsEC2(t *testing.T) {
	schema, err := UserData(largestSchema())
	if err != nil || len(largestSchema().Databases) != 7 {
		t.Fatalf("%v, with %d databases", err, len(largestSchema().Databases))
	}
	t.Logf("the largest schema takes %d of %d bytes", len(schema), MaxUserData)
	a := largest()
	data, err := UserData(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the largest configuration takes %d of %d bytes", len(data), MaxUserData)

	a.JVMOptions = append(a.JVMOptions, "-D"+strings.Repeat("x", MaxUserData-len(data)))
	_, err = UserData(a)
	if err == nil {
		t.Fatal("user data over the limit was accepted")
	}
	contains(t, "the error", err.Error(), `node "node-1"`, "more than the 16384 that EC2 takes")
}

func TestUserDataIsBash(t *testing.T) {
	for name, a := range map[string]Args{
		"example": example(product.V5_11_0), "largest": largest(), "schema": largestSchema(),
	} {
		data, err := UserData(a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(data), name); err != nil {
			t.Error(err)
		}
	}
}

func TestShellcheck(t *testing.T) {
	shellcheck := tool(t, "shellcheck")
	dir := t.TempDir()
	data, err := UserData(largest())
	if err != nil {
		t.Fatal(err)
	}
	files := []string{filepath.Join(dir, "user-data")}
	if err := os.WriteFile(files[0], []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range Programs() {
		if filepath.Ext(p.Name) == "" {
			files = append(files, "programs/"+p.Name)
		}
	}
	server := filepath.Join(dir, "server.sh")
	if err := os.WriteFile(server, []byte("#!/bin/dash\n"+serverScript), 0o600); err != nil {
		t.Fatal(err)
	}
	files = append(files, server)
	// One part of the user data uses variables of the other.
	options := []string{"--exclude=SC2034,SC1091"}
	out, err := exec.Command(shellcheck, append(options, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUserDataQuotes checks that the shell sees each value unchanged and executes nothing in it.
func TestUserDataQuotes(t *testing.T) {
	hostile := `a'b"c$(touch pwned)` + "`touch pwned`" + ` \ ;&`
	a := example(product.V7_1_0)
	a.ClusterName = hostile
	data, err := UserData(a)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(data, "# Makes this instance a node")
	if !found {
		t.Fatal("the script's first line has changed")
	}
	cmd := exec.Command("bash", "-c", head+`printf '%s' "$CLUSTER"`)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != hostile {
		t.Errorf("the shell saw %q: %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(cmd.Dir, "pwned")); err == nil {
		t.Error("a value was run")
	}
}

func TestUserDataRefusesWhatNoShellCanRead(t *testing.T) {
	a := example(product.V7_1_0)
	a.ClusterName = "de\x00mo"
	_, err := UserData(a)
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, "the error", err.Error(), `node "node-1"`, "CLUSTER cannot be passed to the shell")
}

//guide:logical
func TestScripts(t *testing.T) {
	in := func(engine engine.Name, layout config.Layout, names ...config.LogicalName) config.Database {
		logical := map[config.LogicalName]config.Logical{}
		for _, name := range names {
			logical[name] = config.Logical{}
		}
		return config.Database{Engine: engine, Layout: layout, Logical: logical}
	}
	for name, c := range map[string]struct {
		db      config.Database
		logical config.LogicalName
		want    []string
	}{
		"identity keeps consent": {
			in(engine.Postgres, config.Separate, "identity", "shared"), "identity",
			[]string{"dbscripts/identity/postgresql.sql", "dbscripts/consent/postgresql.sql"},
		},
		"consent of its own": {
			in(engine.MySQL, config.Separate, "identity", "shared", "consent"), "identity",
			[]string{"dbscripts/identity/mysql.sql"},
		},
		"and what it gets": {
			in(engine.MySQL, config.Separate, "identity", "shared", "consent"), "consent",
			[]string{"dbscripts/consent/mysql.sql"},
		},
		"all in one": {
			in(engine.Oracle, config.Single, "identity"), "identity",
			[]string{"dbscripts/oracle.sql", "dbscripts/identity/oracle.sql", "dbscripts/consent/oracle.sql"},
		},
		"MariaDB runs MySQL's": {
			in(engine.MariaDB, config.Separate, "identity", "shared"), "shared",
			[]string{"dbscripts/mysql.sql"},
		},
		"agents": {
			in(engine.SQLServer, config.Separate, "identity", "shared", "agent"), "agent",
			[]string{"dbscripts/identity/agent/mssql.sql"},
		},
		"sessions": {
			in(engine.MySQL, config.Separate, "identity", "shared", "session"), "session",
			[]string{"dbscripts/identity/mysql.sql"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Scripts(c.db, c.logical); !slices.Equal(got, c.want) {
				t.Errorf("%v instead of %v", got, c.want)
			}
		})
	}
}
