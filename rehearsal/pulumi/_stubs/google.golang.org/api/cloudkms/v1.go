// Package cloudkms stands for the client of Google Cloud's keys.
package cloudkms

// CloudkmsScope is what its credentials must allow.
const CloudkmsScope = "https://www.googleapis.com/auth/cloudkms"
