// Package gcpkms stands for keys of Google Cloud, for which no credentials are found.
package gcpkms

import (
	"context"
	"errors"
	"net/url"

	"gocloud.dev/secrets"
)

// Scheme is the one of their addresses.
const Scheme = "gcpkms"

// Dial does nothing.
func Dial(context.Context, any) (client any, closed func(), err error) { return nil, nil, nil }

// URLOpener fails to open a key.
type URLOpener struct{ Client any }

// OpenKeeperURL fails.
func (*URLOpener) OpenKeeperURL(context.Context, *url.URL) (*secrets.Keeper, error) {
	return nil, errors.New("this build of pulumi has no Google Cloud: install Pulumi's own release")
}
