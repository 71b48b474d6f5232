//go:build race

package secrets

// iterations is small with the race detector, which only tests use: fingerprintIterations would take 1.6 s for every stack of a test.
const iterations = 1000
