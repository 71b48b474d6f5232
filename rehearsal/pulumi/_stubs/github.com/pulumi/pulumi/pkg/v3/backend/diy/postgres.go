// Package postgres stands for states in PostgreSQL.
package postgres

import (
	"context"
	"errors"
	"net/url"

	"gocloud.dev/blob"
)

// Scheme is the one of their addresses.
const Scheme = "postgres"

func init() { blob.DefaultURLMux().RegisterBucket(Scheme, &URLOpener{}) }

// URLOpener fails to open a bucket.
type URLOpener struct{}

// OpenBucketURL fails.
func (*URLOpener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, errors.New("this build of pulumi has no states in PostgreSQL: install Pulumi's own release")
}
