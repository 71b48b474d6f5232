package nodeconfig

import (
	"fmt"

	"github.com/wso2is-aws/wso2is/config"
)

const (
	// entryUUID is the identifier that a directory itself assigns to each entry (RFC 4530).
	entryUUID = "entryUUID"
	// objectGUID is Active Directory's identifier, in the spelling that the server compares with (OBJECT_GUID in the
	// kernel's UniqueIDReadOnlyLDAPUserStoreManager). It is binary, and the server converts it to a UUID.
	objectGUID = "objectGUID"
)

// userStore writes the primary user store. The server infers a directory's properties for its own embedded directory;
// those that differ in real directories are written.
func (r *renderer) userStore(d *document) {
	u := r.Cluster.UserStore
	switch u.Type {
	case config.DatabaseUserStore:
		d.UserStore.Type = "database_unique_id"
		return
	case config.ReadOnlyLDAP, config.ReadOnlyActiveDirectory:
		// The server has one read-only directory store, which also reads Active Directory.
		d.UserStore.Type = "read_only_ldap_unique_id"
	case config.ReadWriteLDAP:
		d.UserStore.Type = "read_write_ldap_unique_id"
	case config.ReadWriteActiveDirectory:
		d.UserStore.Type = "active_directory_unique_id"
	}
	active := u.Type == config.ReadOnlyActiveDirectory || u.Type == config.ReadWriteActiveDirectory
	ofClass := "(objectClass=" + u.UserObjectClass + ")"
	by := func(attribute string) string { return fmt.Sprintf("(&%s(%s=?))", ofClass, attribute) }
	p := map[string]any{
		"ConnectionURL":         u.URL,
		"ConnectionName":        u.BindDN,
		"ConnectionPassword":    env(EnvUserStorePassword),
		"UserSearchBase":        u.UserSearchBase,
		"UserNameAttribute":     u.UserNameAttribute,
		"UserNameSearchFilter":  by(u.UserNameAttribute),
		"UserNameListFilter":    ofClass,
		"GroupSearchBase":       u.GroupSearchBase,
		"AnonymousBind":         false,
		"UserRolesCacheEnabled": true,
	}
	if u.GroupSearchBase == "" {
		// The inferred value refers to a key that would be missing, and the server would not start.
		p["GroupSearchBase"] = u.UserSearchBase
		p["ReadGroups"] = false
	}
	if !readOnly(u.Type) {
		p["UserEntryObjectClass"] = u.UserObjectClass
		p["WriteGroups"] = u.GroupSearchBase != ""
	}
	switch {
	case active:
		p["UserIDAttribute"] = objectGUID
		p["UserIdSearchFilter"] = by(objectGUID)
		p["java.naming.ldap.attributes.binary"] = objectGUID
		// The value inferred for the read-only store is an attribute that Active Directory does not have.
		p["GroupIdAttribute"] = objectGUID
		p["GroupNameAttribute"] = "cn"
		p["GroupNameSearchFilter"] = "(&(objectClass=group)(cn=?))"
		p["GroupNameListFilter"] = "(objectClass=group)"
		p["MembershipAttribute"] = "member"
		if u.Type == config.ReadWriteActiveDirectory {
			p["GroupEntryObjectClass"] = "group"
			// Active Directory refuses a password over an unencrypted connection.
			p["ImmutableAttributes"] = objectGUID
		}
	case readOnly(u.Type):
		// The inferred identifier is an attribute of WSO2's own schema, which other directories do not have.
		p["UserIDAttribute"] = u.UserNameAttribute
		p["UserIdSearchFilter"] = by(u.UserNameAttribute)
	default:
		// As for Active Directory. The directory's own identifier is operational: the server must treat it as
		// immutable, so that it does not write it (setUserClaimsWithID, setGroupAttributes) and reads it from the added
		// entry.
		p["UserIDAttribute"] = entryUUID
		p["UserIdSearchFilter"] = by(entryUUID)
		p["GroupIdAttribute"] = entryUUID
		p["ImmutableAttributes"] = entryUUID
		// groupOfNames needs at least one member (RFC 4519): the server then refuses an empty group before the
		// directory does.
		p["EmptyRolesAllowed"] = false
	}
	d.UserStore.Properties = p
}
