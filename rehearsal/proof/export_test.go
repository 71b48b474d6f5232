package proof

// RequiredSetting is a claim, and the type and path of a required property.
type RequiredSetting struct{ Claim, Token, Path string }

// RequiredSettings lists every required property of a claim, in the order of the claims.
func RequiredSettings() []RequiredSetting {
	var all []RequiredSetting
	for _, claim := range required {
		for _, row := range claim.rows {
			all = append(all, RequiredSetting{claim.claim, row.token, row.path})
		}
	}
	return all
}

// Waits lists the types that must wait for others, as pairs.
func Waits() [][2]string {
	var all [][2]string
	for _, w := range waits {
		for _, before := range w.before {
			all = append(all, [2]string{w.what, before})
		}
	}
	for _, start := range starts {
		for _, before := range needed {
			all = append(all, [2]string{start, before})
		}
	}
	return all
}
