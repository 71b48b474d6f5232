package config

// OwnedTOMLKeys are the keys of deployment.toml that the program writes itself, each with the configuration key to use
// instead, or an empty text if a cluster needs the program's value. A * stands for any one name.
var OwnedTOMLKeys = map[string]string{
	"server.hostname":                    "hostname",
	"server.node_ip":                     "nodes.members",
	"server.base_path":                   "hostname",
	"server.internal_hostname":           "",
	"server.force_local_cache":           "caching.scenario",
	"server.default_cache_timeout":       "caching.timeoutMinutes",
	"server.default_realm_cache_timeout": "caching.timeoutMinutes",

	"super_admin.username":             "admin.username",
	"super_admin.password":             "admin.password",
	"super_admin.create_admin_account": "",

	"user_store.type":                             "userStore.type",
	"user_store.properties.ConnectionURL":         "userStore.url",
	"user_store.properties.ConnectionName":        "userStore.bindDn",
	"user_store.properties.ConnectionPassword":    "userStore.bindPassword",
	"user_store.properties.UserSearchBase":        "userStore.userSearchBase",
	"user_store.properties.GroupSearchBase":       "userStore.groupSearchBase",
	"user_store.properties.UserNameAttribute":     "userStore.userNameAttribute",
	"user_store.properties.UserEntryObjectClass":  "userStore.userObjectClass",
	"user_store.properties.UserRolesCacheEnabled": "caching.scenario",
	"realm_manager.data_source":                   "database.logical.user",

	"database.*.type":                         "database.engine",
	"database.*.url":                          "database",
	"database.*.driver":                       "database.engine",
	"database.*.hostname":                     "database",
	"database.*.port":                         "database",
	"database.*.name":                         "database.logical",
	"database.*.username":                     "database.logical",
	"database.*.password":                     "",
	"database.*.pool_options.maxActive":       "database.poolSize",
	"datasource.WSO2ConsentDS":                "database.logical.consent",
	"datasource.WSO2SessionDS":                "database.logical.session",
	"datasource.AgentIdentity":                "database.logical.agent",
	"authentication.consent.data_source":      "database.logical.consent",
	"session.data_source":                     "database.logical.session",
	"session_data.persistence":                "",
	"database.*.pool_options.validationQuery": "",

	"clustering.membership_scheme": "clustering.scheme",
	"clustering.domain":            "clustering.domain",
	"clustering.local_member_host": "nodes.members",
	"clustering.local_member_port": "clustering.port",
	"clustering.members":           "clustering.wkaMembers",
	"clustering.properties":        "clustering",
	HazelcastTable:                 "clustering.hazelcast",

	"cache.*.enable":               "caching.disabled",
	"cache.*.timeout":              "caching.caches",
	"cache.*.capacity":             "caching.caches",
	"governance_data.enable_cache": "caching.scenario",
	"authorization_manager.properties.AuthorizationCacheEnabled": "caching.scenario",

	"keystore":                            "secrets.keystore",
	"truststore":                          "",
	"encryption.key":                      "secrets.encryptionKey",
	"encryption.old_key":                  "secrets.previousEncryptionKey",
	"encryption.enable_key_id":            "secrets.previousEncryptionKey",
	"account_recovery.endpoint.auth.hash": "",
	"identity.auth_framework.endpoint.app_password":             "",
	"identity_mgt.user_self_registration.auto_login.alias_name": "",

	"transport.http.properties.proxyPort":                         "",
	"transport.https.properties.proxyPort":                        "",
	"transport.https.sslHostConfig.properties.protocols":          "",
	"catalina.valves.valve.properties":                            "",
	"catalinaValves.remoteIpValve":                                "",
	"versioning_configuration.enable_version_resources_on_change": "",
	"transport.https.properties.keepAliveTimeout":                 "loadBalancer.idleTimeout",
	"carbon_health_check.enable":                                  "",
	"carbon_health_check.health_checker":                          "",
}

// DefaultTOMLKeys are the keys of deployment.toml that the program writes and a team may override. A * stands for any
// one name.
var DefaultTOMLKeys = []string{
	"user_store.properties.*",
	"database.*.pool_options.connectionProperties",
	"database.*.pool_options.defaultAutoCommit",
	"database.*.pool_options.maxWait",
	"database.*.pool_options.minIdle",
	"database.*.pool_options.testOnBorrow",
	"database.*.pool_options.validationInterval",
	"session_data.cleanup.clean_logged_out_sessions_at_immediate_cycle",
	"session_data.cleanup.enable_expired_data_cleanup",
	"session_data.cleanup.enable_pre_session_data_cleanup",
	"http_access_log.pattern",
	"http_access_log.useLogger",
}

// HazelcastTable is the only table of deployment.toml that becomes a .properties file. The server writes the other
// tables that the program knows into XML.
const HazelcastTable = "hazelcast"
