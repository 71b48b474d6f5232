// Package gcsblob stands for states in Google Cloud Storage.
package gcsblob

import (
	"context"
	"errors"
	"net/url"

	"gocloud.dev/blob"
)

// Scheme is the one of their addresses.
const Scheme = "gs"

func init() { blob.DefaultURLMux().RegisterBucket(Scheme, &URLOpener{}) }

// URLOpener fails to open a bucket.
type URLOpener struct{}

// OpenBucketURL fails.
func (*URLOpener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, errors.New("this build of pulumi has no states in Google Cloud Storage: install Pulumi's own release")
}
