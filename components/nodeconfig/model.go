package nodeconfig

import (
	"fmt"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// document is deployment.toml. The order of its fields is the order of the file.
type document struct {
	Server         server                `toml:"server"`
	SuperAdmin     superAdmin            `toml:"super_admin"`
	UserStore      userStore             `toml:"user_store"`
	RealmManager   *dataSourceName       `toml:"realm_manager,omitempty"`
	Authorization  *properties           `toml:"authorization_manager,omitempty"`
	Database       map[string]database   `toml:"database"`
	Datasource     map[string]datasource `toml:"datasource,omitempty"`
	Authentication *authentication       `toml:"authentication,omitempty"`
	Session        *dataSourceName       `toml:"session,omitempty"`
	SessionData    sessionData           `toml:"session_data"`
	Clustering     *clustering           `toml:"clustering,omitempty"`
	Hazelcast      map[string]string     `toml:"hazelcast,omitempty"`
	Cache          map[string]any        `toml:"cache,omitempty"`
	GovernanceData *governanceData       `toml:"governance_data,omitempty"`
	Keystore       keystores             `toml:"keystore"`
	Truststore     truststore            `toml:"truststore"`
	Encryption     encryption            `toml:"encryption"`
	Recovery       accountRecovery       `toml:"account_recovery"`
	Identity       identity              `toml:"identity"`
	IdentityMgt    *identityMgt          `toml:"identity_mgt,omitempty"`
	Transport      transport             `toml:"transport"`
	Catalina       *catalina             `toml:"catalina,omitempty"`
	CatalinaValves *catalinaValves       `toml:"catalinaValves,omitempty"`
	AccessLog      accessLog             `toml:"http_access_log"`
	Versioning     versioning            `toml:"versioning_configuration"`
	HealthCheck    healthCheck           `toml:"carbon_health_check"`
}

type server struct {
	Hostname string `toml:"hostname"`
	// NodeIP is the variable in the server's default of clustering.local_member_host; the start fails if a variable is
	// undefined. The default is used with the scheme aws-ecs and without clustering. The key is written for all
	// schemes, so that a manual change of the scheme works too.
	NodeIP                   string `toml:"node_ip"`
	BasePath                 string `toml:"base_path"`
	InternalHostname         string `toml:"internal_hostname"`
	ForceLocalCache          bool   `toml:"force_local_cache"`
	DefaultCacheTimeout      string `toml:"default_cache_timeout"`
	DefaultRealmCacheTimeout string `toml:"default_realm_cache_timeout,omitempty"`
}

type superAdmin struct {
	Username           string `toml:"username"`
	Password           string `toml:"password"`
	CreateAdminAccount bool   `toml:"create_admin_account"`
}

type userStore struct {
	Type       string         `toml:"type"`
	Properties map[string]any `toml:"properties,omitempty"`
}

type dataSourceName struct {
	DataSource string `toml:"data_source"`
}

type properties struct {
	Properties map[string]string `toml:"properties"`
}

// database is a data source that the server knows by name. The server would infer the same values from its type.
type database struct {
	URL         string      `toml:"url"`
	Driver      string      `toml:"driver"`
	Username    string      `toml:"username"`
	Password    string      `toml:"password"`
	PoolOptions poolOptions `toml:"pool_options"`
}

// datasource is another data source. The server infers nothing for it.
type datasource struct {
	ID          string      `toml:"id"`
	URL         string      `toml:"url"`
	Driver      string      `toml:"driver"`
	Username    string      `toml:"username"`
	Password    string      `toml:"password"`
	PoolOptions poolOptions `toml:"pool_options"`
}

// poolOptions are properties of Tomcat's JDBC pool by its own names.
type poolOptions struct {
	MaxActive            int    `toml:"maxActive"`
	MaxWait              int    `toml:"maxWait"`
	MinIdle              int    `toml:"minIdle"`
	TestOnBorrow         bool   `toml:"testOnBorrow"`
	ValidationQuery      string `toml:"validationQuery"`
	ValidationInterval   int    `toml:"validationInterval"`
	DefaultAutoCommit    bool   `toml:"defaultAutoCommit"`
	ConnectionProperties string `toml:"connectionProperties,omitempty"`
}

type authentication struct {
	Consent dataSourceName `toml:"consent"`
}

type sessionData struct {
	Persistence persistence `toml:"persistence"`
	Cleanup     cleanup     `toml:"cleanup"`
}

type persistence struct {
	EnablePersistence    bool   `toml:"enable_persistence"`
	PersistTemporaryData bool   `toml:"persist_temporary_data"`
	PersistencePoolSize  string `toml:"persistence_pool_size"`
}

type cleanup struct {
	EnableExpiredDataCleanup    bool `toml:"enable_expired_data_cleanup"`
	EnablePreSessionDataCleanup bool `toml:"enable_pre_session_data_cleanup"`
	// CleanLoggedOutSessions would delete a session at the next cleanup after its logout, not when it expires.
	CleanLoggedOutSessions bool `toml:"clean_logged_out_sessions_at_immediate_cycle"`
}

type clustering struct {
	MembershipScheme string `toml:"membership_scheme"`
	Domain           string `toml:"domain"`
	LocalMemberHost  string `toml:"local_member_host,omitempty"`
	// LocalMemberPort is always written: by default, a member listens on a port that no discovery probes.
	LocalMemberPort string            `toml:"local_member_port"`
	Members         []string          `toml:"members,omitempty"`
	Properties      map[string]string `toml:"properties,omitempty"`
}

type governanceData struct {
	EnableCache bool `toml:"enable_cache"`
}

type keystores struct {
	Primary  keystore `toml:"primary"`
	Internal keystore `toml:"internal"`
	TLS      keystore `toml:"tls"`
}

type keystore struct {
	FileName    string `toml:"file_name"`
	Type        string `toml:"type"`
	Password    string `toml:"password"`
	Alias       string `toml:"alias"`
	KeyPassword string `toml:"key_password"`
}

type truststore struct {
	FileName string `toml:"file_name"`
	Type     string `toml:"type"`
	Password string `toml:"password"`
}

type encryption struct {
	Key string `toml:"key"`
	// OldKey is read only with EnableKeyID: encrypted data then names its key, and data with another key's name or none
	// was encrypted with OldKey.
	OldKey      string `toml:"old_key,omitempty"`
	EnableKeyID bool   `toml:"enable_key_id,omitempty"`
}

type accountRecovery struct {
	Endpoint struct {
		Auth struct {
			Hash string `toml:"hash"`
		} `toml:"auth"`
	} `toml:"endpoint"`
}

type identity struct {
	AuthFramework struct {
		Endpoint struct {
			AppPassword string `toml:"app_password"`
		} `toml:"endpoint"`
	} `toml:"auth_framework"`
}

type identityMgt struct {
	UserSelfRegistration struct {
		AutoLogin struct {
			AliasName string `toml:"alias_name"`
		} `toml:"auto_login"`
	} `toml:"user_self_registration"`
}

type transport struct {
	HTTP struct {
		Properties proxy `toml:"properties"`
	} `toml:"http"`
	HTTPS struct {
		Properties struct {
			ProxyPort        int `toml:"proxyPort"`
			KeepAliveTimeout int `toml:"keepAliveTimeout"`
		} `toml:"properties"`
		SSLHostConfig struct {
			Properties struct {
				Protocols string `toml:"protocols"`
			} `toml:"properties"`
		} `toml:"sslHostConfig"`
	} `toml:"https"`
}

type proxy struct {
	ProxyPort int `toml:"proxyPort"`
}

// catalina is how releases before 6.1.0 configure an additional Tomcat valve.
type catalina struct {
	Valves struct {
		Valve struct {
			Properties valve `toml:"properties"`
		} `toml:"valve"`
	} `toml:"valves"`
}

// catalinaValves is how 6.1.0 and later switch on Tomcat's RemoteIpValve.
type catalinaValves struct {
	RemoteIPValve valve `toml:"remoteIpValve"`
}

// valve is Tomcat's RemoteIpValve.
type valve struct {
	Enable          bool   `toml:"enable,omitempty"`
	ClassName       string `toml:"className,omitempty"`
	InternalProxies string `toml:"internalProxies"`
	RemoteIPHeader  string `toml:"remoteIpHeader"`
	ProtocolHeader  string `toml:"protocolHeader"`
	ProxiesHeader   string `toml:"proxiesHeader"`
}

type accessLog struct {
	Pattern string `toml:"pattern"`
	// UseLogger sends the log through the server's own, and so to a container's console, instead of to a daily file.
	UseLogger bool `toml:"useLogger,omitempty"`
}

type versioning struct {
	EnableVersionResourcesOnChange bool `toml:"enable_version_resources_on_change"`
}

type healthCheck struct {
	Enable   bool           `toml:"enable"`
	Checkers healthCheckers `toml:"health_checker"`
}

// healthCheckers are the checks of the health API, in the names of
// is.docs.wso2.com/en/latest/deploy/monitor/monitor-server-health.
type healthCheckers struct {
	DataSource struct {
		PoolUsageLimit string `toml:"pool_usage_limit_percentage"`
	} `toml:"data_source_health_checker"`
	UserStore properties `toml:"super_tenant_health_checker"`
}

// document fills the model.
func (r *renderer) document() document {
	c := r.Cluster
	d := document{
		Server: server{
			Hostname: c.Hostname,
			NodeIP:   r.address(),
			// The server replaces ${carbon.management.port} with the proxy port, so these URLs are the load balancer's.
			BasePath:         "https://$ref{server.hostname}:${carbon.management.port}",
			InternalHostname: "localhost",
		},
		SuperAdmin: superAdmin{
			Username: c.Admin.Username,
			Password: env(EnvAdminPassword),
			// A read-only directory must already have the user.
			CreateAdminAccount: r.Node.CreateAdmin && !readOnly(c.UserStore.Type),
		},
		SessionData: sessionData{
			// Authentication flows survive a change of node only if their state is in the database. A pool size above 0
			// would write it too late, after the next node has read it.
			Persistence: persistence{EnablePersistence: true, PersistTemporaryData: true, PersistencePoolSize: "0"},
			// Current releases delete nothing by default, and the tables grow forever (product-is #15601, #16342).
			// Logged-out sessions stay until they expire: the server would delete them in one unlimited statement, over
			// a join of the table with itself, and uses a form of DELETE that MariaDB cannot parse
			// (SessionDataStore.java in carbon-identity-framework).
			Cleanup: cleanup{EnableExpiredDataCleanup: true, EnablePreSessionDataCleanup: true},
		},
		// WSO2's guide warns against versioning every resource of the registry on every change.
		Versioning: versioning{EnableVersionResourcesOnChange: false},
		// If it is off, the health API always answers 200.
		HealthCheck: healthCheck{Enable: true},
	}
	// A busy node is not unhealthy: without it, the load would move to the others and make them unhealthy too.
	d.HealthCheck.Checkers.DataSource.PoolUsageLimit = "100"
	// An unreachable partner directory affects only its own users: a secondary user store is added at run time, and its
	// outage would make every node unhealthy.
	d.HealthCheck.Checkers.UserStore.Properties = map[string]string{"monitored.user.stores": "primary"}
	r.userStore(&d)
	r.databases(&d)
	r.clustering(&d)
	r.caching(&d)
	r.security(&d)
	r.transport(&d)
	return d
}

// security sets the keystores. Primary and internal keystores are one file: every node must sign and encrypt with the
// same key. Each node has its own key for TLS, which only Tomcat's connector uses (the kernel's default.json).
func (r *renderer) security(d *document) {
	format := r.facts.Keystore
	store := keystore{
		FileName:    KeystoreFile(format),
		Type:        string(format),
		Password:    env(EnvKeystorePassword),
		Alias:       KeystoreAlias,
		KeyPassword: env(EnvKeystorePassword),
	}
	tls := store
	tls.FileName = TLSKeystoreFile(format)
	d.Keystore = keystores{Primary: store, Internal: store, TLS: tls}
	d.Truststore = truststore{FileName: TruststoreFile(format), Type: string(format), Password: TruststorePassword}
	d.Encryption.Key = env(EnvEncryptionKey)
	if r.Cluster.Secrets.PreviousEncryptionKey.Set() {
		d.Encryption.OldKey, d.Encryption.EnableKeyID = env(EnvPreviousEncryptionKey), true
	}
	d.Recovery.Endpoint.Auth.Hash = env(EnvEndpointHash)
	d.Identity.AuthFramework.Endpoint.AppPassword = env(EnvEndpointPassword)
	if r.Cluster.Version.AtLeast(product.V6_0_0) {
		// The server verifies the login after a sign-up with the certificate of this alias, by default wso2carbon
		// (AutoLogin/AliasName in identity.xml; product-is #10603, which came after 5.11.0).
		d.IdentityMgt = &identityMgt{}
		d.IdentityMgt.UserSelfRegistration.AutoLogin.AliasName = KeystoreAlias
	}
}

// transport sets the load balancer's ports in the server, allows only current TLS, and trusts the X-Forwarded headers
// of addresses in the VPC only.
func (r *renderer) transport(d *document) {
	d.Transport.HTTP.Properties.ProxyPort = ports.PublicHTTP
	d.Transport.HTTPS.Properties.ProxyPort = ports.PublicHTTPS
	// Milliseconds. A server that closes an idle connection before the load balancer does may close it during a
	// request, and the client gets a 502 ("Troubleshoot your Application Load Balancers"). Tomcat's default is 60
	// seconds.
	d.Transport.HTTPS.Properties.KeepAliveTimeout = (r.Cluster.LoadBalancer.IdleTimeout + keepAliveMargin) * 1000
	d.Transport.HTTPS.SSLHostConfig.Properties.Protocols = "+TLSv1.2,+TLSv1.3"

	d.AccessLog = accessLog{Pattern: accessLogPattern, UseLogger: r.Cluster.Containerized()}
	v := valve{
		InternalProxies: AddressRegexp(r.vpc),
		RemoteIPHeader:  "x-forwarded-for",
		ProtocolHeader:  "x-forwarded-proto",
		ProxiesHeader:   "x-forwarded-by",
	}
	if r.Cluster.Version.AtLeast(product.V6_1_0) {
		v.Enable = true
		d.CatalinaValves = &catalinaValves{RemoteIPValve: v}
		return
	}
	v.ClassName = "org.apache.catalina.valves.RemoteIpValve"
	d.Catalina = &catalina{}
	d.Catalina.Valves.Valve.Properties = v
}

// accessLogPattern is the product's own except for the client's address, which RemoteIpValve writes to this attribute.
// Tomcat's %h and %a are the load balancer's when the log is written, and a client can forge X-Forwarded-For.
const accessLogPattern = `%{org.apache.catalina.AccessLog.RemoteAddr}r %l %u %t %r %s %b "%{Referer}i" "%{User-Agent}i" %T`

// keepAliveMargin is the time in seconds by which a node keeps an idle connection longer than the load balancer.
const keepAliveMargin = 60

func readOnly(t config.UserStoreType) bool {
	return t == config.ReadOnlyLDAP || t == config.ReadOnlyActiveDirectory
}

func minutes(n int) string { return fmt.Sprintf("%dm", n) }
