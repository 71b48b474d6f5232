// Package azureblob stands for states in Azure Blob Storage.
package azureblob

import (
	"context"
	"errors"
	"net/url"

	"gocloud.dev/blob"
)

// Scheme is the one of their addresses.
const Scheme = "azblob"

func init() { blob.DefaultURLMux().RegisterBucket(Scheme, &URLOpener{}) }

// URLOpener fails to open a bucket.
type URLOpener struct {
	MakeClient        func()
	ServiceURLOptions struct{}
}

// OpenBucketURL fails.
func (*URLOpener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, errors.New("this build of pulumi has no states in Azure Blob Storage: install Pulumi's own release")
}

// NewDefaultClient does nothing.
func NewDefaultClient() {}

// NewDefaultServiceURLOptions returns nothing of use.
func NewDefaultServiceURLOptions() *struct{} { return &struct{}{} }
