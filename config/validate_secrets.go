package config

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

var (
	secretText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9\-_.~!*+=@:,/]*$`)
	hexDigits  = regexp.MustCompile(`^[0-9A-Fa-f]+$`)
)

// secretText checks a secret that a team sets itself. Its value passes through the environment, XML and a shell.
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
	if days := s.RecoveryDays; days > 0 && days < 7 {
		v.refuse("secrets.recoveryDays", "write 0, or 7 to 30", "%d days are not a recovery window of AWS", days)
	}
	if s.KeyARN != "" {
		v.arn("secrets.keyArn", s.KeyARN, "kms", "key/")
	}
	if left := v.Database.leaving(); s.KeyARN == "" && !s.RetainKeyOnDelete && len(left) > 0 {
		path := instancePath(left[0])
		v.refuse("secrets.retainKeyOnDelete", fmt.Sprintf("write true, or true for %s.skipFinalSnapshot and %s.deleteAutomatedBackups", path, path),
			"without the key nobody could read the snapshots and backups of the database %s", left[0])
	}
}

// encryptionKeys checks the encryption key and, in a rotation, the previous one.
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
			"%s reads only one key, so it could not read data of another one", v.Version)
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
	if blocks, err := pkcs12.ToPEM(der, password); err == nil && keysIn(blocks) > 1 { //nolint:staticcheck // no other function reads several keys
		v.signingKeys(path, blocks)
		return
	}
	if _, _, _, err := pkcs12.DecodeChain(der, password); err != nil {
		v.refuse(path, "give a PKCS#12 file with one private key, and its password as keystorePassword",
			"it cannot be opened: %s", err)
	}
}

const privateKey = "PRIVATE KEY"

func keysIn(blocks []*pem.Block) int {
	n := 0
	for _, b := range blocks {
		if b.Type == privateKey {
			n++
		}
	}
	return n
}

// signingKeys are those of a rotation: one of them is said to sign, and each can be published (JwksEndpoint.java in
// wso2-extensions/identity-inbound-auth-oauth takes each key of the keystore for an RSA key).
func (v *validator) signingKeys(path string, blocks []*pem.Block) {
	signs := false
	for _, b := range blocks {
		name := b.Headers["friendlyName"]
		if b.Type != privateKey {
			continue
		}
		signs = signs || name == "wso2is"
		if _, err := x509.ParsePKCS1PrivateKey(b.Bytes); err != nil {
			v.refuse(path, "make it with `keytool -genkeypair -keyalg RSA`", "the key %s is no RSA key, and the server cannot publish it", name)
		}
	}
	if !signs {
		v.refuse(path, "call the key that signs wso2is: `keytool -changealias -destalias wso2is`", "it holds several private keys, and none is called wso2is")
	}
}
