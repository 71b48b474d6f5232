package config

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

var (
	userName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{2,29}$`)
	secretText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9\-_.~!*+=@:,/]*$`)
	hexDigits  = regexp.MustCompile(`^[0-9A-Fa-f]+$`)
	attribute  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
)

// secretText checks a secret that a team brings itself. Values travel through the environment, XML and a shell.
func (v *validator) secretText(path string, s Secret, low, high int) {
	if !s.Set() {
		return
	}
	if text := s.Reveal(); len(text) < low || len(text) > high || !secretText.MatchString(text) {
		v.refuse(path, fmt.Sprintf("choose %d to %d letters, digits and -_.~!*+=@:,/ that begin with a letter or digit",
			low, high),
			"the value would not survive XML and a shell")
	}
}

func (v *validator) secrets() {
	if !userName.MatchString(v.Admin.Username) {
		v.refuse("admin.username", "write 3 to 30 letters, digits and ._@- that begin with a letter or digit",
			"%q cannot name the administrator", v.Admin.Username)
	}
	v.secretText("admin.password", v.Admin.Password, 8, 64)
	s := v.Secrets
	v.encryptionKeys()
	v.secretText("secrets.keystorePassword", s.KeystorePassword, 6, 64)
	switch {
	case s.Keystore.Set() != s.KeystorePassword.Set():
		v.refuse("secrets.keystore", "give keystore and keystorePassword, or neither to have them generated",
			"one of the two is missing")
	case s.Keystore.Set():
		v.keystore(s.Keystore.Reveal(), s.KeystorePassword.Reveal())
	}
	if days := *s.RecoveryDays; days > 0 && days < 7 {
		v.refuse("secrets.recoveryDays", "write 0, or 7 to 30", "%d days are no recovery window of AWS", days)
	}
}

// encryptionKeys checks the key that encrypts, and the one before it in a rotation.
func (v *validator) encryptionKeys() {
	const previousPath = "secrets.previousEncryptionKey"
	key, previous, sizes := v.Secrets.EncryptionKey, v.Secrets.PreviousEncryptionKey, v.facts.EncryptionKeyBytes
	if len(sizes) == 0 {
		return
	}
	digits := make([]string, len(sizes))
	for i, n := range sizes {
		digits[i] = strconv.Itoa(2 * n)
	}
	takes := strings.Join(digits, ", ")
	valid := func(key Secret) bool {
		text := key.Reveal()
		return slices.Contains(digits, strconv.Itoa(len(text))) && hexDigits.MatchString(text)
	}
	if key.Set() && !valid(key) {
		v.refuse("secrets.encryptionKey",
			fmt.Sprintf("keep the key that the database was made with, or give a new cluster what `openssl rand -hex %d` prints",
				sizes[len(sizes)-1]),
			"%s takes a key of %s hexadecimal digits", v.Version, takes)
	}
	switch {
	case !previous.Set():
	case !v.facts.RotatesEncryptionKey:
		v.refuse(previousPath, "leave it out, and keep secrets.encryptionKey as it is",
			"%s knows one key only, and could not read what another one encrypted", v.Version)
	case !key.Set():
		v.refuse(previousPath, "give the new key as secrets.encryptionKey",
			"without a new key the old one stays in use")
	case key == previous:
		v.refuse(previousPath, "give the key that was in use before", "it is the same as secrets.encryptionKey")
	case !valid(previous):
		v.refuse(previousPath, "give the key that was in use before", "%s takes a key of %s hexadecimal digits", v.Version,
			takes)
	}
}

func (v *validator) keystore(text, password string) {
	const path = "secrets.keystore"
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		v.refuse(path, "give what `base64 -w0 keystore.p12` prints", "it is not base64")
		return
	}
	if _, _, _, err := pkcs12.DecodeChain(der, password); err != nil {
		v.refuse(path, "give a PKCS#12 file with one private key, and its password as keystorePassword",
			"it cannot be opened: %s", err)
	}
}

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
		v.refuse("userStore.cidrs", "write the ranges that the directory's servers are in",
			"nodes would not be let through to them")
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
		v.refuse(path, "write ldaps://host:636", "Active Directory takes passwords over TLS only")
	}
}
