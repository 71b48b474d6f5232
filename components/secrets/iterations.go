//go:build !race

package secrets

const iterations = fingerprintIterations
