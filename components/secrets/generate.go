package secrets

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// PasswordLength is within every engine's limits: Oracle allows at most 30 characters, MySQL 41.
const PasswordLength = 28

const alphanumeric = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"

// Password generates only letters and digits, because the value passes through XML, shell and JDBC, which give other
// characters a meaning. It starts with a letter, as Oracle requires, and contains a digit.
func Password() (string, error) {
	const letters = 48
	password := make([]byte, PasswordLength)
	for i := range password {
		set := alphanumeric
		switch i {
		case 0:
			set = alphanumeric[:letters]
		case PasswordLength - 1:
			set = alphanumeric[letters:]
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(set))))
		if err != nil {
			return "", err
		}
		password[i] = set[n.Int64()]
	}
	return string(password), nil
}

// Hex generates a key of that many bytes, in hexadecimal.
func Hex(bytes int) func() (string, error) {
	return func() (string, error) {
		key := make([]byte, bytes)
		if _, err := rand.Read(key); err != nil {
			return "", err
		}
		return hex.EncodeToString(key), nil
	}
}

const (
	keystoreYears = 10
	keyBits       = 2048
)

// GenerateKeystore makes a keystore with one self-signed key, which signs tokens, for the hostname and localhost. The
// result is PKCS#12 in base64, opened by the password.
func GenerateKeystore(hostname string) func(password string) (string, error) {
	return func(password string) (string, error) {
		key, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			return "", err
		}
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			return "", err
		}
		id := sha256.Sum256(x509.MarshalPKCS1PublicKey(&key.PublicKey))
		now := time.Now()
		template := &x509.Certificate{
			SerialNumber: serial, Subject: pkix.Name{CommonName: hostname}, DNSNames: []string{hostname, "localhost"},
			NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(keystoreYears, 0, 0), SubjectKeyId: id[:20],
			KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			return "", err
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return "", err
		}
		p12, err := pkcs12.Modern.Encode(key, certificate, nil, password)
		if err != nil {
			return "", fmt.Errorf("writing PKCS#12: %w", err)
		}
		return base64.StdEncoding.EncodeToString(p12), nil
	}
}

// Certificate is the certificate of a keystore, PKCS#12 in base64, as PEM. It is no secret.
func Certificate(keystore, password string) (string, error) {
	der, err := base64.StdEncoding.DecodeString(keystore)
	if err != nil {
		return "", fmt.Errorf("reading the keystore: %w", err)
	}
	_, certificate, err := pkcs12.Decode(der, password)
	if err != nil {
		return "", fmt.Errorf("reading PKCS#12: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})), nil
}

// fingerprintIterations is the number that OWASP's password storage cheat sheet requires for PBKDF2-HMAC-SHA256.
const fingerprintIterations = 600_000

// Fingerprint identifies a key without revealing it: a salted PBKDF2, in the form of the schema program's check of the
// encryption key. A generated key has at least 128 random bits, so nobody can guess it; the iterations protect a key
// that a person chose. The salt is made from a name, so that another update of the same cluster writes the same.
func Fingerprint(key, name string) (string, error) { return fingerprint(key, name, iterations) }

func fingerprint(key, name string, iterations int) (string, error) {
	sum := sha256.Sum256([]byte(name))
	salt := hex.EncodeToString(sum[:16])
	hash, err := pbkdf2.Key(sha256.New, key, []byte(salt), iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("making a fingerprint: %w", err)
	}
	return fmt.Sprintf("pbkdf2-sha256$%d$%s$%s", iterations, salt, hex.EncodeToString(hash)), nil
}
