// Package product has the differences between the releases of WSO2 Identity Server. A fact about a release is stated
// here and nowhere else.
package product

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// Version is a release of WSO2 Identity Server that this program can configure.
type Version string

// The supported releases.
const (
	V5_11_0 Version = "5.11.0"
	V6_0_0  Version = "6.0.0"
	V6_1_0  Version = "6.1.0"
	V7_0_0  Version = "7.0.0"
	V7_1_0  Version = "7.1.0"
	V7_2_0  Version = "7.2.0"
	V7_3_0  Version = "7.3.0"
)

// HealthPath answers 200 on the HTTPS port, and 503 when the database, the user store or a start-up check fails. It
// needs [carbon_health_check].
const HealthPath = "/api/health-check/v1.0/health"

// AlivePath needs the server's threads and its keystore, but no database and no user store: JwksEndpoint of
// identity-inbound-auth-oauth reads only the keystore.
const AlivePath = "/oauth2/jwks"

// LogFile is the server's log, below the product's home. LogStarted is a text in it after the server's start. The
// StartupFinalizerServiceComponent of carbon-kernel writes it in every release.
const (
	LogFile    = "repository/logs/wso2carbon.log"
	LogStarted = "WSO2 Carbon started in"
)

// The files that configure a node, below the product's home.
const (
	DeploymentFile = "repository/conf/deployment.toml"
	HazelcastFile  = "repository/conf/etc/hazelcast.xml"
)

// KeystoreFormat is the type of a Java keystore, as deployment.toml spells it.
type KeystoreFormat string

// The keystore types of the releases.
const (
	JKS    KeystoreFormat = "JKS"
	PKCS12 KeystoreFormat = "PKCS12"
)

// Facts are all facts of one release that decide what is built or written.
type Facts struct {
	// Kernel is the release's Carbon kernel. It contains the membership schemes.
	Kernel string
	// Hazelcast is the Hazelcast version inside that kernel.
	Hazelcast string
	// JDK is the Java major version of nodes on ec2. WSO2 tests the release on it.
	JDK int
	// Tested is the list of systems that WSO2 tests the release on.
	Tested Tested
	// Keystore is the type of the keystores the release contains and expects.
	Keystore KeystoreFormat
	// EncryptionKeyBytes are the possible lengths of [encryption] key, shortest first; a generated key has the longest.
	// Each byte is two hexadecimal digits (SymmetricKeyInternalCryptoProvider in carbon-crypto-service 1.1.14 and
	// 1.1.16).
	EncryptionKeyBytes []int
	// RotatesEncryptionKey says that the release reads [encryption] old_key and enable_key_id: the former key, and a
	// mark in encrypted data that says which key encrypted it.
	RotatesEncryptionKey bool
	// MySQLLatin1 says that the release stores users' texts in the database's character set. On MySQL and MariaDB this
	// must be latin1, and attributes in other scripts are refused.
	MySQLLatin1 bool
	// AgentIdentity says that the release has a data source for agent identities. By default it is an H2 file of each
	// node, so a cluster must move it to the shared database.
	AgentIdentity bool
	// HazelcastAWSKeys says that the aws scheme reads Hazelcast's own property names (tag-key, security-group-name).
	// The release silently ignores the documented camelCase names.
	HazelcastAWSKeys bool
	// KubernetesSchemeJar says that the kernel does not contain the kubernetes scheme: its jar must be added.
	KubernetesSchemeJar bool
	// KubernetesAPIProperties says that the kubernetes scheme reads the API server's URL and token
	// (KubernetesMembershipScheme of carbon-kernel 4.10.9, and of kubernetes-common for 5.11.0).
	KubernetesAPIProperties bool
	// EndpointSlices says that the release's Hazelcast finds members in EndpointSlices. It reads Endpoints only without
	// the permission for EndpointSlices (Hazelcast 5.1 and later).
	EndpointSlices bool
	// IMDSv2 says that the release's Hazelcast can get credentials from IMDSv2.
	IMDSv2 bool
	// ReadsValidationQueryInference says that an inferred validation query reaches the data source. In other releases,
	// pool_options must name the query, or requests get connections that died while idle.
	ReadsValidationQueryInference bool
}

// Tested are the systems that WSO2 tests a release on. The page of its guide is named beside each.
type Tested struct {
	// JDKs are the Java major versions.
	JDKs []int
	// Engines are the releases of database engines, oldest first, as a stack spells database.engine and
	// database.version. RDS no longer offers all of them.
	Engines map[string][]string
}

// docs-is, in en/identity-server: 5.11.0/docs/setup/environment-compatibility.md.
var tested5 = Tested{
	JDKs: []int{8, 11},
	Engines: map[string][]string{
		"postgres": {"12", "13", "14"}, "mysql": {"5.7", "8.0"}, "mariadb": {"10.4"}, "mssql": {"15.00"},
		"oracle": {"12", "19"},
	},
}

// docs-is: environment-compatibility.md of 6.0.0 and 6.1.0. They name no MariaDB.
var tested6 = Tested{
	JDKs: []int{11, 17},
	Engines: map[string][]string{
		"postgres": {"10", "13", "14"}, "mysql": {"5.7", "8.0"}, "mssql": {"14.00", "15.00"}, "oracle": {"19"},
	},
}

// docs-is: 7.0.0/docs/deploy/environment-compatibility.md. It names no MariaDB.
var tested70 = Tested{
	JDKs: []int{11, 17},
	Engines: map[string][]string{
		"postgres": {"10", "13", "14", "16", "17"}, "mysql": {"5.7", "8.0"}, "mssql": {"14.00", "16.00"}, "oracle": {"19"},
	},
}

// docs-is: 7.1.0, 7.2.0 and 7.3.0, each in docs/deploy/product-compatibility.md. 7.1.0 was tested on MySQL 5.7 besides.
var tested71 = Tested{
	JDKs: []int{11, 17, 21},
	Engines: map[string][]string{
		"postgres": {"15", "16", "17"}, "mysql": {"8.0", "8.4"}, "mariadb": {"11.4"}, "mssql": {"14.00", "15.00", "16.00"},
		"oracle": {"19", "21", "23ai"},
	},
}

// The start script of 7.3.0 ends on a JDK below 21 (wso2server.sh in carbon-kernel 4.12.34).
var tested73 = Tested{JDKs: []int{21, 25}, Engines: tested71.Engines}

var shortKey, anyKey = []int{16}, []int{16, 24, 32}

var facts = map[Version]Facts{
	V5_11_0: {
		Kernel: "4.6.1", Hazelcast: "3.12.2", JDK: 11, Tested: tested5, Keystore: JKS, EncryptionKeyBytes: shortKey,
		MySQLLatin1: true, KubernetesSchemeJar: true, KubernetesAPIProperties: true,
	},
	V6_0_0: {
		Kernel: "4.7.1", Hazelcast: "4.2.5", JDK: 11, Tested: tested6, Keystore: JKS, EncryptionKeyBytes: shortKey,
		MySQLLatin1: true, HazelcastAWSKeys: true,
	},
	V6_1_0: {
		Kernel: "4.9.0", Hazelcast: "4.2.6", JDK: 11, Tested: tested6, Keystore: JKS, EncryptionKeyBytes: shortKey,
		MySQLLatin1: true, HazelcastAWSKeys: true,
	},
	V7_0_0: {
		Kernel: "4.10.9", Hazelcast: "5.3.6", JDK: 17, Tested: tested70, Keystore: JKS, EncryptionKeyBytes: shortKey,
		MySQLLatin1: true, KubernetesAPIProperties: true, EndpointSlices: true, IMDSv2: true,
	},
	V7_1_0: {
		Kernel: "4.10.42", Hazelcast: "5.3.6", JDK: 21, Tested: tested71, Keystore: PKCS12, EncryptionKeyBytes: anyKey, RotatesEncryptionKey: true,
		MySQLLatin1: true, KubernetesAPIProperties: true, EndpointSlices: true, IMDSv2: true,
	},
	V7_2_0: {
		Kernel: "4.10.101", Hazelcast: "5.3.6", JDK: 21, Tested: tested71, Keystore: PKCS12, EncryptionKeyBytes: anyKey, RotatesEncryptionKey: true,
		AgentIdentity: true, KubernetesAPIProperties: true, EndpointSlices: true, IMDSv2: true,
	},
	V7_3_0: {
		Kernel: "4.12.34", Hazelcast: "5.3.6", JDK: 21, Tested: tested73, Keystore: PKCS12, EncryptionKeyBytes: anyKey, RotatesEncryptionKey: true,
		AgentIdentity: true, KubernetesAPIProperties: true, EndpointSlices: true, IMDSv2: true,
		ReadsValidationQueryInference: true,
	},
}

// Versions lists the supported releases, oldest first.
func Versions() []Version {
	versions := make([]Version, 0, len(facts))
	for v := range facts {
		versions = append(versions, v)
	}
	slices.SortFunc(versions, Version.compare)
	return versions
}

// Facts returns the facts of the release. It fails for an unsupported release.
func (v Version) Facts() (Facts, error) {
	f, ok := facts[v]
	if !ok {
		names := make([]string, 0, len(facts))
		for _, known := range Versions() {
			names = append(names, string(known))
		}
		return Facts{}, fmt.Errorf("%q is not a supported release; write one of %s", string(v), strings.Join(names, ", "))
	}
	return f, nil
}

// AtLeast reports whether v is the release other or a later one.
func (v Version) AtLeast(other Version) bool { return v.compare(other) >= 0 }

// compare orders releases by their numbers: 7.10.0 is later than 7.2.0.
func (v Version) compare(other Version) int { return semver.Compare("v"+string(v), "v"+string(other)) }

// cacheIDs are the caches in identity.xml that have a switch, a timeout and a capacity.
var cacheIDs = []string{
	"app_info_cache", "authentication_context_cache", "authentication_error_cache", "authentication_request_cache",
	"authentication_result_cache", "authorization_grant_cache", "framework_session_context_cache",
	"idp_cache_by_auth_property", "idp_cache_by_hri", "idp_cache_by_name", "jwks_cache", "oauth_cache",
	"oauth_scope_cache", "oauth_session_data_cache", "provisioning_connector_cache",
	"provisioning_entity_cache", "saml_sso_participant_cache", "saml_sso_session_data_cache",
	"saml_sso_session_index_cache", "service_provider_cache", "service_provider_cache_id",
	"service_provider_cache_inbound_auth", "service_provider_provisioning_connector_cache",
}

// laterCacheIDs are the caches that a release added (carbon-identity-framework #4950 and #6354).
var laterCacheIDs = map[Version][]string{
	V7_0_0: {"private_key_jwt"},
	V7_1_0: {"push_auth_context_cache", "push_auth_status_cache", "push_device_registration_request_cache"},
}

// CacheIDs lists the caches that [cache.<id>] can adjust, sorted.
func (v Version) CacheIDs() []string {
	ids := slices.Clone(cacheIDs)
	for since, later := range laterCacheIDs {
		if v.AtLeast(since) {
			ids = append(ids, later...)
		}
	}
	slices.Sort(ids)
	return ids
}
