// Package container has the programs and environments of the containers of a task or a pod, which are the same on ECS
// and EKS. It is plain Go and holds no secret.
//
// A node is a server in the product's image, as WSO2 builds it, and two small programs in an image with the AWS CLI.
// One fetches the files that the product's image lacks before the server starts. The other publishes to CloudWatch how
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
	// User is the user and the group of the server.
	User = 802
	// ConfigVolume and ArtifactVolume are the directories that the image's entrypoint copies over the server, in this
	// order.
	ConfigVolume   = home + "/wso2-config-volume"
	ArtifactVolume = home + "/wso2-artifact-volume"

	home = "/home/wso2carbon"
)

const (
	// Shared is the volume for files that are not part of the product.
	Shared = "/opt/wso2is"
	// EnvKeystore has the cluster's keystore, PKCS#12 in base64.
	EnvKeystore = "WSO2_KEYSTORE"
	// EnvTLSKeystore has the keystore for TLS likewise, where nodes share one.
	EnvTLSKeystore = "WSO2_TLS_KEYSTORE"
	// StopSeconds is the time between the request to stop and the kill of a server.
	StopSeconds = 110
)

// ServerHome is the product's directory in its image.
func ServerHome(version product.Version) string { return home + "/wso2is-" + string(version) }

// UserstoresPath is the directory of user stores that are added at run time.
func UserstoresPath(version product.Version) string {
	return ServerHome(version) + "/repository/deployment/server/userstores"
}

// TenantsPath is the directory of the tenants' artifacts.
func TenantsPath(version product.Version) string { return ServerHome(version) + "/repository/tenants" }

// DeploymentPath is the path from which the entrypoint copies a node's deployment.toml.
const DeploymentPath = ConfigVolume + "/" + product.DeploymentFile

// HazelcastPath is the path from which the entrypoint copies a team's hazelcast.xml.
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
// PrepareEnvironment and write access to the volumes ConfigVolume, ArtifactVolume and Shared.
func Prepare() []string {
	return []string{"bash", "-c", bootstrap.FetchScript() + prepareScript, "prepare"}
}

// Serve is the command of the server's container, in the product's image and as its user. It needs ServeEnvironment,
// the secrets of nodeconfig.Environment and EnvKeystore, and Prepare's volumes. It calls the image's own entrypoint,
// but also passes SIGTERM on, so that a stopped node leaves the cluster at once.
func Serve() []string {
	return []string{"sh", "-c", inProductImage("serve", serveScript), "serve"}
}

// ServeFromRoot is Serve for a container that starts as root, because it must write the cluster's name to /etc/hosts
// itself. The server still runs as User.
func ServeFromRoot() []string {
	return []string{"sh", "-c", bootstrap.LogScript() + rootScript, "name", inProductImage("serve", serveScript)}
}

// inProductImage joins the parts of a program for the product's image.
func inProductImage(name, script string) string {
	return "PROGRAM=" + name + "\n" + bootstrap.LogScript() + commonScript + bootstrap.ServerScript() + script
}

// Schema is the command that makes the logical databases, in the product's image and as its user. It needs
// SchemaEnvironment, the secrets of bootstrap.Environment for each logical database, and Prepare's volumes.
func Schema() []string {
	return []string{"sh", "-c", inProductImage("schema", schemaScript), "schema"}
}

// Members is the command of the container that publishes the node's metrics each minute, in the image with the AWS CLI.
// It needs MembersEnvironment, and the network of the server's container. On Kubernetes, NODE must be the pod's name; a
// task of ECS finds its own id.
func Members() []string {
	const loop = `trap exit TERM INT
while :; do
	bash -c "$0" members publish || echo "members: could not publish" >&2
	sleep 60 &
	wait "$!"
done`
	return []string{"bash", "-c", loop, bootstrap.MembersProgram()}
}

// ImageFile is the path from which Members reads the age of its host's image; HostImageFile is the file's path on the
// host. Fargate mounts no file of a host, and pods may not read their host's: there Members publishes no age.
const (
	ImageFile     = "/host" + HostImageFile
	HostImageFile = "/etc/image-id"
)

// TurnSeconds is the maximum time that a server waits for the first one of its cluster to serve.
const TurnSeconds = 420

// EnvTurn makes Serve wait for Turn, for at most this number of seconds.
const EnvTurn = "WSO2IS_TURN_SECONDS"

// Turn is the command of the container that decides when a task of ECS may start its server, in the image with the AWS
// CLI. It needs TurnEnvironment, write access to the volume Shared, and a role that may list and describe the cluster's
// tasks. It ends once it has written its decision. It runs beside the server, and Serve waits itself: ECS fails a
// container that waits longer than three minutes for the end of another.
func Turn() []string { return []string{"bash", "-c", bootstrap.LogScript() + turnScript, "turn"} }

// TurnEnvironment is the environment of Turn: the ECS cluster and the service whose tasks are nodes.
func TurnEnvironment(region, cluster, service string) map[string]string {
	return map[string]string{
		"AWS_DEFAULT_REGION": region, "CLUSTER": cluster, "SERVICE": service, "WAIT_SECONDS": strconv.Itoa(TurnSeconds),
	}
}

// Started is a command for the server's container that fails until the server has started completely and can serve,
// which needs its database. WSO2's images have curl.
func Started() string {
	// An image may write no log file.
	return fmt.Sprintf(`log=$WSO2_SERVER_HOME/%s; `+
		`{ [ ! -f "$log" ] || { grep -q '%s' "$log" && ! grep -q 'Webapp .* failed to deploy' "$log"; }; } && `+
		`curl -skf -m 8 -o /dev/null https://localhost:%d%s`, product.LogFile, product.LogStarted, ports.HTTPS, product.HealthPath)
}

// Alive is a command for the server's container that fails when the server does not answer at all. It uses the port
// without client requests. During an outage of the database, all threads of the other port may wait for it, and a
// server that is stopped for this could not start again.
func Alive() string {
	return fmt.Sprintf("curl -s -m 8 -o /dev/null http://localhost:%d%s", ports.HTTP, product.AlivePath)
}

// HealthCheck is Started until its first success, and Alive from then on, for a service with a single command: ECS
// replaces a task that fails it.
func HealthCheck() string {
	return fmt.Sprintf("if [ -f %[1]s ]; then %[2]s; else %[3]s && : >%[1]s; fi", startedFile, Alive(), Started())
}

// startedFile exists once the server has started completely.
const startedFile = "/tmp/started"

// File is what Prepare fetches.
type File struct {
	// Source is s3://bucket/key or an https URL.
	Source string
	// SHA256 is the file's checksum in hexadecimal. Only a file in S3 may have none.
	SHA256 string
	// Path is the file's destination, below one of the three volumes.
	Path string
}

// Files are the files that every node fetches for its configuration: the JDBC driver, unless the image has it, and
// certificate authorities.
func Files(c config.Cluster) []File {
	var files []File
	if !c.Container.Baked {
		driver := c.Product.Driver
		at := driver.Source
		if u, err := url.Parse(at); err == nil {
			at = u.Path // without the query of a signed URL
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

// SchemaProgramPath is the path to which Prepare must write bootstrap.SchemaProgram. Serve and Schema run it.
const SchemaProgramPath = Shared + "/lib/SchemaBootstrap.java"

// PrepareEnvironment is the environment of Prepare. Schema is the result of bootstrap.SchemaProperties for ServerHome,
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

// The kernel parameter that lets the server's user listen on port 443 in the node's own network, and its value.
const (
	UnprivilegedPorts      = "net.ipv4.ip_unprivileged_port_start"
	UnprivilegedPortsStart = "443"
)

// ServeEnvironment is the environment of Serve besides its secrets.
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
	if c.FileSystem.Existing != nil {
		environment["WSO2IS_SHARES"] = strings.Join(sharedPaths(c), " ")
	}
	if c.Fargate() {
		environment["WSO2IS_USER"] = strconv.Itoa(User)
	}
	environment["WSO2IS_KEYSTORE_TYPE"] = string(facts.Keystore)
	environment["WSO2IS_JVM_OPTIONS"] = strings.Join(c.JVMOptions(), " ")
	environment["JVM_MEM_OPTS"] = fmt.Sprintf("-Xms%dm -Xmx%dm", c.JVM.Heap, c.JVM.Heap)
	return environment, nil
}

// sharedPaths are the paths of the shared directories.
func sharedPaths(c config.Cluster) []string {
	var all []string
	if c.FileSystem.Tenants {
		all = append(all, TenantsPath(c.Version))
	}
	if c.FileSystem.Userstores {
		all = append(all, UserstoresPath(c.Version))
	}
	return all
}

// SchemaEnvironment is the environment of Schema besides its secrets.
func SchemaEnvironment(c config.Cluster) (map[string]string, error) {
	facts, err := c.Version.Facts()
	if err != nil {
		return nil, err
	}
	return map[string]string{"WSO2IS_TRUSTSTORE_FILE": nodeconfig.TruststoreFile(facts.Keystore)}, nil
}

// MembersEnvironment is the environment of Members.
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
