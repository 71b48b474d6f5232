//go:build !race

package secrets

// fingerprintIterations is the number that OWASP's password storage cheat sheet requires for PBKDF2-HMAC-SHA256.
const fingerprintIterations = 600_000
