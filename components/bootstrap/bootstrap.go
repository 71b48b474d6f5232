// Package bootstrap sets up a node before its server starts. It is plain Go: it makes EC2 user data from a node's
// settings, and has the programs that nodes of every topology fetch and run.
package bootstrap

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// MaxUserData is EC2's limit on user data in bytes, before base64.
const MaxUserData = 16384

// DatabasePlaceholder stands for the database's name in a Database's URL, since the schema program first connects to a
// database of the engine, before the logical one exists.
const DatabasePlaceholder = "{database}"

// The names of packages in the scripts are those of Amazon Linux 2023: its release notes list them (github.com/amazonlinux/amazon-linux-2023).
//
//go:embed node.sh
var nodeScript string

//go:embed log.sh
var logScript string

//go:embed fetch.sh
var fetchScript string

//go:embed server.sh
var serverScript string

//go:embed name.sh
var nameScript string

//go:embed share.sh
var shareScript string

// LogScript is POSIX shell: the functions log and die. PROGRAM is the name of the script that uses them.
func LogScript() string { return logScript }

// FetchScript is bash: the functions of LogScript, and retry, metadata and fetch.
func FetchScript() string { return logScript + fetchScript }

// ServerScript is POSIX shell: the functions log_hazelcast, failed_webapps, check_shared, make_keystore,
// make_tls_keystore and trust.
func ServerScript() string { return serverScript }

// NameScript is bash: the function redirect_own_name, for a server on its host's own network.
func NameScript() string { return nameScript }

// ShareScript is bash: the functions share_user and keep_share_user, for an instance that mounts an SMB share. ShareUnit is the unit of
// systemd that a mount requires, and ShareCredentials the file with the share's user.
func ShareScript() string { return shareScript }

// See ShareScript.
const (
	ShareUnit        = "wso2is-share.service"
	ShareCredentials = "/run/wso2is/share"
)

//go:embed programs
var programs embed.FS

// Program is a file that every node fetches and runs.
type Program struct {
	// Name is the object's name below Args.Programs.
	Name string
	// Path is its path on a node, below /opt/wso2is.
	Path string
	// Content is the file.
	Content []byte
}

// Key returns the key of a file in the stack's bucket: its name with its checksum in hexadecimal before the last part.
// Changed content has another key, so that a node that starts later still finds its files.
func Key(name, sum string) string { return path.Join(path.Dir(name), sum, path.Base(name)) }

// SHA256 is the content's checksum in hexadecimal.
func (p Program) SHA256() string {
	sum := sha256.Sum256(p.Content)
	return hex.EncodeToString(sum[:])
}

// Programs lists the files that user data expects in the bucket Args.Bucket, under the Key of Args.Programs + Name, by
// name.
func Programs() []Program {
	names := map[string]string{
		"SchemaBootstrap.java": "lib/SchemaBootstrap.java",
		"alive":                "bin/alive",
		"members":              "bin/members",
		"ready":                "bin/ready",
		"secrets":              "bin/secrets",
		"server.sh":            "lib/server.sh",
		"setup":                "lib/setup",
		"turn":                 "bin/turn",
	}
	list := make([]Program, 0, len(names))
	for name, at := range names {
		content := []byte(serverScript)
		if name != "server.sh" {
			content = programFile(name)
		}
		if name == "setup" {
			content = slices.Concat([]byte(nameScript), []byte(shareScript), content)
		}
		list = append(list, Program{Name: name, Path: at, Content: content})
	}
	slices.SortFunc(list, func(a, b Program) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// SchemaProgram is the source of the program that makes the logical databases, for the Java source launcher (Java 11 or
// newer). Its first comment says how to run it.
func SchemaProgram() string { return string(programFile("SchemaBootstrap.java")) }

// MembersProgram is bash: it publishes the number of members that a node is connected with, and the use of the node's
// disk and memory.
func MembersProgram() string { return string(programFile("members")) }

func programFile(name string) []byte {
	content, err := programs.ReadFile("programs/" + name)
	if err != nil {
		panic(err) // The file is part of the binary.
	}
	return content
}

// Args are the inputs of user data. They hold no secret, only the names of secrets.
type Args struct {
	Region      string
	ClusterName string
	// NodeName is the node's name in logs and metrics. Empty in an Auto Scaling group, where it is the instance id.
	NodeName string
	// NodeAddress is the node's private IPv4 address. Empty if only the instance knows it.
	NodeAddress string
	// Hostname is the cluster's public name, which the node resolves to itself.
	Hostname string
	Version  product.Version
	// Archive is wso2is-<version>.zip, Driver the JDBC driver: https:// with a checksum, or s3:// with or without one.
	Archive, Driver config.Artifact
	// CABundle is a PEM file with the databases' certificate authorities, or empty. CABundlePath is its path in the
	// node's JDBC URLs.
	CABundle     config.Artifact
	CABundlePath string
	// Trust is a PEM file with more authorities for the truststore, or empty. TrustPath is its path on the node.
	Trust     config.Artifact
	TrustPath string
	// Bucket has the node's files and, under the prefix Programs, the content of Programs().
	Bucket   string
	Programs string
	// Files are put below IS_HOME; repository/conf/deployment.toml must be among them.
	Files []File
	// FileSystem is the shared file system.
	FileSystem FileSystem
	// Secrets become the environment of the server's process each time it starts, or that of the schema program.
	Secrets []Secret
	// Keystore is the cluster's one keystore.
	Keystore Keystore
	// Databases are the logical databases, in the order of their creation. Only the schema's instance has them; it is
	// no node and needs no file and no keystore. Nodes do not need the master user's password.
	Databases []Database
	// HazelcastPort is the node's own member port; 0 without clustering.
	HazelcastPort int
	// Multicast says that members find each other by multicast.
	Multicast bool
	// HeapMiB is the size of the JVM's heap.
	HeapMiB int
	// JVMOptions are added to the server's command line; none may contain white space or quotes.
	JVMOptions []string
	// LogGroups take the node's logs.
	LogGroups LogGroups
	// LifecycleHook is told when the node is ready, or that it failed.
	LifecycleHook *LifecycleHook
	// MinMembers is the number of connected members, itself included, from which the node is ready. It is 1 if the node
	// may be the first.
	MinMembers int
	// DrainSeconds is the time in which the server keeps serving during a shutdown of its instance, so that open
	// requests end.
	DrainSeconds int
}

// File is an object of the stack's bucket that a node fetches.
type File struct {
	Key, SHA256 string
	// Path is relative to IS_HOME.
	Path string
}

// FileSystem is an EFS file system and the access points of the two shared directories, or a share of the kernel's file system
// type Type. A share's directories are what mount(8) takes as source. Either directory may be empty.
type FileSystem struct {
	ID, Userstores, Tenants string
	// Type, Options and Package are empty for EFS. Package has the program that mounts the share.
	Type, Options, Package string
	// Secret is the ARN of the secret with the user of the share, or empty.
	Secret string
}

// Secret is a value of Secrets Manager, by name or ARN, in the server's environment.
type Secret struct {
	Variable, ID string
	// HashVariable, if set, gets the SHA-256 of the value in hexadecimal.
	HashVariable string
	// Property, if set, is the property of a JSON secret that is the value.
	Property string
}

// Keystore is a PKCS#12 file in base64 in one secret, and its password in another.
type Keystore struct {
	SecretID, PasswordSecretID string
	// TLSSecretID is the secret with the keystore for TLS; empty where each node makes a key of its own.
	TLSSecretID string
	// File, TLSFile and TruststoreFile are names in repository/resources/security: the keystore in the release's own
	// format, the keystore with the node's own key for TLS, and the product's truststore, which gets both certificates.
	File, TLSFile, TruststoreFile string
}

// Database is one logical database.
type Database struct {
	Logical config.LogicalName
	Engine  engine.Name
	// Name is the name of the database and of the server's account.
	Name string
	// User is the server's account if the accounts were rotated. It is empty otherwise. Revoked is an earlier account that
	// is deleted, or empty.
	User, Revoked string
	// URL is the JDBC URL with DatabasePlaceholder for the name; Properties are name=value;name=value for the driver.
	URL, Properties string
	// Owned says that the team made the database and its user, and that there is no master user.
	Owned bool
	// MasterSecretARN is RDS's own secret, JSON with username and password. It is empty if the database is Owned.
	MasterSecretARN string
	// Scripts make the schema, relative to IS_HOME, in order.
	Scripts []string
}

// LogGroups names CloudWatch log groups.
type LogGroups struct {
	Server, Audit, Access, Bootstrap string
}

// LifecycleHook is a launch lifecycle hook of an Auto Scaling group.
type LifecycleHook struct {
	Name, Group string
}

// Environment returns the names of the variables with the credentials of a logical database for the schema program.
func Environment(name config.LogicalName) (masterUsername, masterPassword, password string) {
	prefix := "SCHEMA_" + strings.ToUpper(string(name))
	return prefix + "_MASTER_USERNAME", prefix + "_MASTER_PASSWORD", prefix + "_PASSWORD"
}

// EnvUsername returns the variable with the name of a logical database's user for the schema program, where the team made it.
func EnvUsername(name config.LogicalName) string {
	return "SCHEMA_" + strings.ToUpper(string(name)) + "_USERNAME"
}

// The variables of the schema program with the encryption key and the previous one. The program keeps a check of the
// key in the database, and refuses a database that matches neither.
const (
	EnvEncryptionKey         = "SCHEMA_ENCRYPTION_KEY"
	EnvPreviousEncryptionKey = "SCHEMA_PREVIOUS_ENCRYPTION_KEY"
)

// SchemaProperties returns the input file of the schema program. home is IS_HOME on its host.
func SchemaProperties(version product.Version, home string, databases []Database) string {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%s=%s\n", key, value) }
	names := make([]string, 0, len(databases))
	for _, d := range databases {
		names = append(names, string(d.Logical))
	}
	line("version", string(version))
	line("home", home)
	line("databases", strings.Join(names, ","))
	for _, d := range databases {
		key := string(d.Logical)
		line(key+".engine", string(d.Engine))
		line(key+".name", d.Name)
		if d.User != "" {
			line(key+".user", d.User)
		}
		if d.Owned {
			line(key+".owned", "true")
		}
		if d.Revoked != "" {
			line(key+".revoked", d.Revoked)
		}
		line(key+".url", d.URL)
		if d.Properties != "" {
			line(key+".properties", d.Properties)
		}
		line(key+".scripts", strings.Join(d.Scripts, ","))
	}
	return b.String()
}

const base = "/opt/wso2is"

const (
	// readySeconds is the maximum time from the server's start to ready.
	readySeconds = 900
	// maxDrainSeconds is bounded because EC2 gives an operating system only a few minutes to shut down.
	maxDrainSeconds = 120
	// TurnSeconds is the time that a node of an Auto Scaling group waits for the first one: a little more than the
	// first one may take from its server's start to ready.
	TurnSeconds = readySeconds + 120
)

// UserData returns the user data of an EC2 node, before base64: the values of a as shell variables, then a script that
// is the same on every node. It fails if a value cannot be passed to the shell, or if the result is larger than
// MaxUserData.
func UserData(a Args) (string, error) {
	facts, err := a.Version.Facts()
	if err != nil {
		return "", fmt.Errorf("user data: version: %w", err)
	}
	schema := ""
	if a.makesSchema() {
		schema = SchemaProperties(a.Version, base+"/wso2is-"+string(a.Version), a.Databases)
	}
	var shared, mounts []string
	share := func(source, name, at string) {
		if source != "" {
			shared = append(shared, source+"|"+name+"|"+at)
			mounts = append(mounts, "/mnt/wso2is/"+name)
		}
	}
	// The guide's directory names, and the product's.
	share(a.FileSystem.Userstores, "Userstores", "deployment/server/userstores")
	share(a.FileSystem.Tenants, "Tenants", "tenants")
	var files, programs, secrets, databases []string
	for _, f := range a.Files {
		files = append(files, f.Key+"|"+f.SHA256+"|"+f.Path)
	}
	for _, p := range Programs() {
		if p.Name == "turn" && a.LifecycleHook == nil { // fixed members wait for each other before their launch
			continue
		}
		if a.makesSchema() && strings.HasPrefix(p.Path, "bin/") { // a node's own
			continue
		}
		programs = append(programs, Key(a.Programs+p.Name, p.SHA256())+"|"+p.SHA256()+"|"+p.Path)
	}
	for _, s := range a.Secrets {
		entry := s.Variable + "|" + s.ID + "|" + s.HashVariable
		if s.Property != "" {
			entry += "|" + s.Property
		}
		secrets = append(secrets, entry)
	}
	for _, d := range a.Databases {
		databases = append(databases, string(d.Logical)+"|"+d.MasterSecretARN)
	}
	var hook LifecycleHook
	if a.LifecycleHook != nil {
		hook = *a.LifecycleHook
	}

	h := header{}
	h.value("REGION", a.Region)
	h.value("CLUSTER", a.ClusterName)
	h.value("NODE", a.NodeName)
	h.value("NODE_ADDRESS", a.NodeAddress)
	h.value("PUBLIC_NAME", a.Hostname)
	h.value("VERSION", string(a.Version))
	h.value("JDK", strconv.Itoa(facts.JDK))
	h.value("ARCHIVE_SOURCE", a.Archive.Source)
	h.value("ARCHIVE_SHA256", a.Archive.SHA256)
	h.value("DRIVER_SOURCE", a.Driver.Source)
	h.value("DRIVER_SHA256", a.Driver.SHA256)
	h.value("CA_SOURCE", a.CABundle.Source)
	h.value("CA_SHA256", a.CABundle.SHA256)
	h.value("CA_FILE", a.CABundlePath)
	h.value("TRUST_SOURCE", a.Trust.Source)
	h.value("TRUST_SHA256", a.Trust.SHA256)
	h.value("TRUST_FILE", a.TrustPath)
	h.value("BUCKET", a.Bucket)
	h.list("FILES", files)
	h.list("PROGRAMS", programs)
	if a.FileSystem.Type == "" {
		h.value("FILE_SYSTEM", a.FileSystem.ID)
	} else {
		h.value("SHARE_TYPE", a.FileSystem.Type)
		h.value("SHARE_OPTIONS", a.FileSystem.Options)
		h.value("SHARE_PACKAGE", a.FileSystem.Package)
	}
	if a.FileSystem.Secret != "" {
		h.value("SHARE_SECRET", a.FileSystem.Secret)
	}
	h.list("SHARED", shared)
	h.value("MOUNTS", strings.Join(mounts, " "))
	h.list("SECRETS", secrets)
	h.value("KEYSTORE_SECRET", a.Keystore.SecretID)
	h.value("KEYSTORE_PASSWORD", a.Keystore.PasswordSecretID)
	h.value("KEYSTORE_FILE", a.Keystore.File)
	h.value("KEYSTORE_TYPE", string(facts.Keystore))
	if a.Keystore.TLSSecretID != "" {
		h.value("TLS_KEYSTORE_SECRET", a.Keystore.TLSSecretID)
	}
	h.value("TLS_KEYSTORE_FILE", a.Keystore.TLSFile)
	h.value("TRUSTSTORE_FILE", a.Keystore.TruststoreFile)
	h.list("DATABASES", databases)
	h.value("SCHEMA", schema)
	h.value("HAZELCAST", facts.Hazelcast)
	h.value("HAZELCAST_PORT", strconv.Itoa(a.HazelcastPort))
	h.value("HAZELCAST_FIRST", strconv.Itoa(ports.HazelcastFirst))
	h.value("HAZELCAST_LAST", strconv.Itoa(ports.HazelcastLast))
	if a.Multicast {
		h.value("MULTICAST", "yes")
	}
	h.value("HEAP", strconv.Itoa(a.HeapMiB))
	h.value("JVM_OPTIONS", strings.Join(a.JVMOptions, " "))
	h.value("LOG_SERVER", a.LogGroups.Server)
	h.value("LOG_AUDIT", a.LogGroups.Audit)
	h.value("LOG_ACCESS", a.LogGroups.Access)
	h.value("LOG_BOOTSTRAP", a.LogGroups.Bootstrap)
	h.value("LIFECYCLE_HOOK", hook.Name)
	h.value("LIFECYCLE_GROUP", hook.Group)
	h.value("DRAIN_SECONDS", strconv.Itoa(min(a.DrainSeconds, maxDrainSeconds)))
	h.value("TURN_SECONDS", strconv.Itoa(TurnSeconds))
	h.value("READY_SECONDS", strconv.Itoa(readySeconds))
	h.value("READY_MEMBERS", strconv.Itoa(max(a.MinMembers, 1)))
	if h.err != nil {
		return "", fmt.Errorf("user data of node %q: %w", a.NodeName, h.err)
	}

	data := "#!/bin/bash\n" + h.text.String() + "\n" + FetchScript() + nodeScript
	if over := len(data) - MaxUserData; over > 0 {
		return "", fmt.Errorf("user data of node %q is %d bytes, %d more than the %d that EC2 takes: fewer or shorter JVM "+
			"options, database names and file names make it smaller", a.NodeName, len(data), over, MaxUserData)
	}
	return data, nil
}

// makesSchema reports whether the instance makes the databases and is no node.
func (a Args) makesSchema() bool { return len(a.Databases) > 0 }

// header writes assignments that the shell reads unchanged.
type header struct {
	text strings.Builder
	err  error
}

func (h *header) quote(name, value string) string {
	quoted, err := syntax.Quote(value, syntax.LangBash)
	if err != nil && h.err == nil {
		h.err = fmt.Errorf("%s cannot be passed to the shell: %w", name, err)
	}
	return quoted
}

func (h *header) value(name, value string) {
	fmt.Fprintf(&h.text, "%s=%s\n", name, h.quote(name, value))
}

func (h *header) list(name string, values []string) {
	fmt.Fprintf(&h.text, "%s=(", name)
	for _, value := range values {
		fmt.Fprintf(&h.text, "\n\t%s", h.quote(name, value))
	}
	h.text.WriteString(")\n")
}
