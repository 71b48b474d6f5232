package config

// Made reports whether the stack makes the file system.
func (f FileSystem) Made() bool { return f.Type == EFS && f.Existing == nil }

// hasData reports whether the stack makes a database or a file system, which AWS Backup can back up.
func (c *Cluster) hasData() bool { return c.Database.Existing == nil || c.FileSystem.Made() }
