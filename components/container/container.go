// Package container is what the containers of a task or a pod run, and what they have to be told: the same programs on
// ECS and EKS. It is plain Go and holds no secret.
//
// A node is a server in the product's image, as WSO2 builds it, beside two small programs in an image that has the AWS
// CLI: one that fetches, before the server starts, what the product's image lacks, and one that tells CloudWatch how
// many members the node is connected with, and how full its disk and memory are.
package container

import (
	_ "embed"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// The product's image, as github.com/wso2/docker-is builds it.
const (
	// User is the user and the group that the server runs as.
	User = 802
	// ConfigVolume and ArtifactVolume are what the image's entrypoint copies over the server, in this order.
	ConfigVolume   = home + "/wso2-config-volume"
	ArtifactVolume = home + "/wso2-artifact-volume"

	home = "/home/wso2carbon"
)

const (
	// Shared is the volume with files that are no part of the product.
	Shared = "/opt/wso2is"
	// EnvKeystore has the cluster's keystore, PKCS#12 in base64.
	EnvKeystore = "WSO2_KEYSTORE"
	// StopSeconds is for how long a server may go on after it is told to stop; then it is killed.
	StopSeconds = 110
)

// ServerHome is the product's directory in its image.
func ServerHome(version product.Version) string { return home + "/wso2is-" + string(version) }

// UserstoresPath is where the server keeps user stores that are made at run time.
func UserstoresPath(version product.Version) string {
	return ServerHome(version) + "/repository/deployment/server/userstores"
}

// TenantsPath is where the server keeps the artifacts of tenants.
func TenantsPath(version product.Version) string { return ServerHome(version) + "/repository/tenants" }

// DeploymentPath is where a node's deployment.toml is put for the entrypoint to copy.
const DeploymentPath = ConfigVolume + "/" + product.DeploymentFile

// HazelcastPath is where a hazelcast.xml that a team brings is put for the entrypoint to copy.
const HazelcastPath = ConfigVolume + "/" + product.HazelcastFile

var (
	//go:embed prepare.sh
	prepareScript string
	//go:embed root.sh
	rootScript string
	//go:embed common.sh
	commonScript string
	//go:embed serve.sh
	serveScript string
	//go:embed schema.sh
	schemaScript string
	//go:embed turn.sh
	turnScript string
)

// Prepare is the command of the container that runs before the others, in the image with the AWS CLI. It needs
// PrepareEnvironment and the volumes ConfigVolume, ArtifactVolume and Shared, where it can write.
func Prepare() []string {
	return []string{"bash", "-c", bootstrap.FetchScript() + prepareScript, "prepare"}
}

// Serve is the command of the server's container, in the product's image and as its user. It needs ServeEnvironment,
// the secrets of nodeconfig.Environment and EnvKeystore, and Prepare's volumes. Unlike the image's own entrypoint, which
// it calls, it passes SIGTERM on, so that a node that is stopped leaves the cluster at once.
func Serve() []string {
	return []string{"sh", "-c", inProductImage("serve", serveScript), "serve"}
}

// ServeFromRoot is Serve for a container that starts as root, because it has to name the cluster in /etc/hosts itself. The
// server runs as User all the same.
func ServeFromRoot() []string {
	return []string{"sh", "-c", bootstrap.LogScript() + rootScript, "name", inProductImage("serve", serveScript)}
}

// inProductImage puts a program of the product's image together.
func inProductImage(name, script string) string {
	return "PROGRAM=" + name + "\n" + bootstrap.LogScript() + commonScript + bootstrap.ServerScript() + script
}

// Schema is the command that makes the logical databases, in the product's image and as its user. It needs
// SchemaEnvironment, the secrets of bootstrap.Environment for each logical database, and Prepare's volumes.
func Schema() []string {
	return []string{"sh", "-c", inProductImage("schema", schemaScript), "schema"}
}

// Members is the command of the container that publishes the node's metrics each minute, in the image with the
// AWS CLI. It needs MembersEnvironment, and the network of the server's container. On Kubernetes NODE has to name the
// pod; a task of ECS finds its own id.
func Members() []string {
	const loop = `trap exit TERM INT
while :; do
	bash -c "$0" members publish || echo "members: could not publish" >&2
	sleep 60 &
	wait "$!"
done`
	return []string{"bash", "-c", loop, bootstrap.MembersProgram()}
}

// ImageFile is where Members reads when the image of its host was made, which HostImageFile says on the host. Fargate
// mounts no file of a host, and pods are not let to theirs: there it does not say.
const (
	ImageFile     = "/host" + HostImageFile
	HostImageFile = "/etc/image-id"
)

// TurnSeconds is how long a server may wait for the first one of its cluster to serve.
const TurnSeconds = 420

// EnvTurn makes Serve wait for Turn, for as many seconds at the most.
const EnvTurn = "WSO2IS_TURN_SECONDS"

// Turn is the command of the container that says when a task of ECS may start its server, in the image with the AWS CLI.
// It needs TurnEnvironment, the volume Shared, where it can write, and a role that may list and describe the cluster's
// tasks. It ends once it has said so; a container that waits for its end would be given up after three minutes, so it
// runs beside the server, and Serve waits itself.
func Turn() []string { return []string{"bash", "-c", bootstrap.LogScript() + turnScript, "turn"} }

// TurnEnvironment is what Turn has to be told: the ECS cluster and the service whose tasks are nodes.
func TurnEnvironment(region, cluster, service string) map[string]string {
	return map[string]string{
		"AWS_DEFAULT_REGION": region, "CLUSTER": cluster, "SERVICE": service, "WAIT_SECONDS": strconv.Itoa(TurnSeconds),
	}
}

// Started is a command for the server's container that fails until the server has started whole and can serve, which
// needs its database. WSO2's images have curl.
func Started() string {
	// An image may keep no log in a file.
	return fmt.Sprintf(`log=$WSO2_SERVER_HOME/%s; `+
		`{ [ ! -f "$log" ] || { grep -q '%s' "$log" && ! grep -q 'Webapp .* failed to deploy' "$log"; }; } && `+
		`curl -skf -m 8 -o /dev/null https://localhost:%d%s`, product.LogFile, product.LogStarted, ports.HTTPS, product.HealthPath)
}

// Alive is a command for the server's container that fails when the server answers nothing at all. It asks on the port
// that no request comes in on: while the database is away, all threads of the other one may wait for it, and a server
// that is stopped for that could not come up again.
func Alive() string {
	return fmt.Sprintf("curl -s -m 8 -o /dev/null http://localhost:%d%s", ports.HTTP, product.AlivePath)
}

// HealthCheck is Started until it has succeeded once, and Alive from then on, for a service that has one command for
// both: ECS replaces a task that fails it.
func HealthCheck() string {
	return fmt.Sprintf("if [ -f %[1]s ]; then %[2]s; else %[3]s && : >%[1]s; fi", startedFile, Alive(), Started())
}

// startedFile is there once the server has started whole.
const startedFile = "/tmp/started"

// File is what Prepare fetches.
type File struct {
	// Source is s3://bucket/key or an https URL.
	Source string
	// SHA256 is the file's checksum in hexadecimal; only a file in S3 may come without.
	SHA256 string
	// Path is where the file is put, below one of the three volumes.
	Path string
}

// Files are those that every node fetches because of its configuration: the JDBC driver, unless the image has it, and
// certificate authorities.
func Files(c config.Cluster) []File {
	var files []File
	if !c.Container.Baked {
		driver := c.Product.Driver
		at := driver.Source
		if u, err := url.Parse(at); err == nil {
			at = u.Path // without the query that a signed URL has
		}
		files = append(files, File{
			Source: driver.Source, SHA256: driver.SHA256, Path: ArtifactVolume + "/repository/components/lib/" + path.Base(at),
		})
	}
	for _, f := range []File{
		{c.Database.CABundle.Source, c.Database.CABundle.SHA256, nodeconfig.CABundlePath},
		{c.Trust.CABundle.Source, c.Trust.CABundle.SHA256, nodeconfig.TrustPath},
	} {
		if f.Source != "" {
			files = append(files, f)
		}
	}
	return files
}

// SchemaProgramPath is where Prepare has to put bootstrap.SchemaProgram, which Serve and Schema run.
const SchemaProgramPath = Shared + "/lib/SchemaBootstrap.java"

// PrepareEnvironment is what Prepare has to be told. Schema is what bootstrap.SchemaProperties returns for ServerHome,
// or empty.
func PrepareEnvironment(region string, files []File, schema string) map[string]string {
	lines := make([]string, len(files))
	for i, f := range files {
		lines[i] = f.Source + "|" + f.SHA256 + "|" + f.Path
	}
	environment := map[string]string{"AWS_DEFAULT_REGION": region, "WSO2IS_FILES": strings.Join(lines, "\n")}
	if schema != "" {
		environment["WSO2IS_SCHEMA"] = schema
	}
	return environment
}

// The kernel parameter that lets the server's user listen on the port of the cluster's own name, in a network of the
// node's own, and its value.
const (
	UnprivilegedPorts      = "net.ipv4.ip_unprivileged_port_start"
	UnprivilegedPortsStart = "443"
)

// ServeEnvironment is what Serve has to be told besides its secrets.
func ServeEnvironment(c config.Cluster) (map[string]string, error) {
	environment, err := SchemaEnvironment(c)
	if err != nil {
		return nil, err
	}
	facts, err := c.Version.Facts()
	if err != nil {
		return nil, err
	}
	environment["WSO2IS_KEYSTORE_FILE"] = nodeconfig.KeystoreFile(facts.Keystore)
	environment["WSO2IS_TLS_KEYSTORE_FILE"] = nodeconfig.TLSKeystoreFile(facts.Keystore)
	environment["WSO2IS_NAME"] = c.Hostname
	if !c.HostNetwork() {
		environment["WSO2IS_FORWARD"] = strconv.Itoa(ports.PublicHTTPS)
	}
	if c.Fargate() {
		environment["WSO2IS_USER"] = strconv.Itoa(User)
	}
	environment["WSO2IS_KEYSTORE_TYPE"] = string(facts.Keystore)
	environment["WSO2IS_JVM_OPTIONS"] = strings.Join(c.JVMOptions(), " ")
	environment["JVM_MEM_OPTS"] = fmt.Sprintf("-Xms%dm -Xmx%dm", c.JVM.Heap, c.JVM.Heap)
	return environment, nil
}

// SchemaEnvironment is what Schema has to be told besides its secrets.
func SchemaEnvironment(c config.Cluster) (map[string]string, error) {
	facts, err := c.Version.Facts()
	if err != nil {
		return nil, err
	}
	return map[string]string{"WSO2IS_TRUSTSTORE_FILE": nodeconfig.TruststoreFile(facts.Keystore)}, nil
}

// MembersEnvironment is what Members has to be told.
func MembersEnvironment(c config.Cluster) map[string]string {
	port := c.Clustering.Port
	if !c.Clustered() {
		port = 0
	}
	return map[string]string{
		"REGION": c.Region, "CLUSTER": c.Name(), "HAZELCAST_PORT": strconv.Itoa(port),
		"HAZELCAST_FIRST": strconv.Itoa(ports.HazelcastFirst), "HAZELCAST_LAST": strconv.Itoa(ports.HazelcastLast),
	}
}
