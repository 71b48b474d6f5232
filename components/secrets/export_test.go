package secrets

// DeployedFingerprint is Fingerprint as it is without the race detector.
func DeployedFingerprint(key, name string) (string, error) {
	return fingerprint(key, name, fingerprintIterations)
}
