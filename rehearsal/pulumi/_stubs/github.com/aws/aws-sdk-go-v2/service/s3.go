// Package s3 stands for the client of S3.
package s3

// CopyObjectInput has what the Pulumi command changes in a copy.
type CopyObjectInput struct{ CopySource *string }
