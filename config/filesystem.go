package config

// hasData reports whether the stack makes a database or a file system, which AWS Backup can back up.
func (c *Cluster) hasData() bool { return c.Database.Existing == nil || c.FileSystem.Type == EFS }
