package config

func (v *validator) fileSystem() {
	f := v.FileSystem
	switch {
	case f.ThroughputMode == Provisioned && f.ProvisionedThroughput == 0:
		v.refuse("fileSystem.provisionedThroughput", "write 1 to 3414", "the mode provisioned needs a throughput")
	case f.ThroughputMode != Provisioned && f.ProvisionedThroughput != 0:
		v.refuse("fileSystem.provisionedThroughput", "leave it out, or write fileSystem.throughputMode: provisioned",
			"the mode %s does not read it", f.ThroughputMode)
	}
}
