//go:build race

package secrets

// fingerprintIterations is small with the race detector, which only tests use: 600,000 would take 1.6 s for every stack of a test.
const fingerprintIterations = 1000
