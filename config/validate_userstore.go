package config

import (
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

var attribute = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

func (v *validator) userStore() {
	u, written := v.UserStore, v.written.UserStore
	if u.Type == DatabaseUserStore {
		written.Type, written.CIDRs = "", nil
		if !reflect.ValueOf(written).IsZero() || len(u.CIDRs) > 0 {
			v.refuse("userStore", "leave the directory's keys out, or write a directory as userStore.type",
				"the type database reads none of them")
		}
		return
	}
	v.directoryURL()
	if len(u.CIDRs) == 0 {
		v.refuse("userStore.cidrs", "write the ranges of the directory's servers",
			"nodes may not call them")
	}
	v.cidrs("userStore.cidrs", u.CIDRs)
	v.secretText("userStore.bindPassword", u.BindPassword, 1, 128)
	if !u.BindPassword.Set() {
		v.refuse("userStore.bindPassword", "run `pulumi config set --path --secret wso2is:userStore.bindPassword`",
			"a directory needs it")
	}
	for _, text := range []struct {
		key, value string
		needed     bool
	}{
		{"bindDn", u.BindDN, true}, {"userSearchBase", u.UserSearchBase, true}, {"groupSearchBase", u.GroupSearchBase, false},
	} {
		switch path := "userStore." + text.key; {
		case text.value == "" && text.needed:
			v.refuse(path, "write a name such as ou=users,dc=example,dc=com", "a directory needs it")
		case text.value != "" && !strings.Contains(text.value, "="):
			v.refuse(path, "write a name such as ou=users,dc=example,dc=com", "%q is no distinguished name", text.value)
		default:
			v.literalText(path, text.value)
		}
	}
	for key, value := range map[string]string{"userNameAttribute": u.UserNameAttribute,
		"userObjectClass": u.UserObjectClass} {
		if !attribute.MatchString(value) {
			v.refuse("userStore."+key, "write a name such as uid or inetOrgPerson", "%q is no name of LDAP's", value)
		}
	}
}

func (v *validator) directoryURL() {
	const path = "userStore.url"
	text := v.UserStore.URL
	address, err := url.Parse(text)
	if err != nil || (address.Scheme != "ldap" && address.Scheme != "ldaps") || address.Hostname() == "" ||
		!urlText.MatchString(text) || address.User != nil {
		v.refuse(path, "write ldaps://host:636", "%q is no URL of a directory", text)
		return
	}
	if port := address.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			v.refuse(path, "write ldaps://host:636", "%q has no valid port", text)
		}
	}
	if address.Scheme == "ldap" && v.UserStore.Type == ReadWriteActiveDirectory {
		v.refuse(path, "write ldaps://host:636", "Active Directory accepts passwords only over TLS")
	}
}
