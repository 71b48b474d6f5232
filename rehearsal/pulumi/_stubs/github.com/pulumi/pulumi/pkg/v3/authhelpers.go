// Package authhelpers stands for the credentials of Google Cloud.
package authhelpers

import (
	"context"
	"errors"

	"gocloud.dev/blob"
)

var errMissing = errors.New("this build of pulumi has no Google Cloud: install Pulumi's own release")

// GoogleCredentialsMux fails.
func GoogleCredentialsMux(context.Context) (*blob.URLMux, error) { return nil, errMissing }

// ResolveGoogleCredentials fails.
func ResolveGoogleCredentials(context.Context, string) (*struct{ TokenSource any }, error) {
	return nil, errMissing
}
