package config

import (
	"net/url"
	"regexp"
	"strings"
)

var (
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
	s3URI     = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.*()/+=@,:-]+$`)
	urlText   = regexp.MustCompile(`^[A-Za-z0-9_.~/:?=&%+@,\[\]-]+$`)
)

func (v *validator) product() {
	v.artifact("product.archive", v.Product.Archive)
	v.artifact("product.driver", v.Product.Driver)
}

// artifact checks the source of a file.
func (v *validator) artifact(path string, a Artifact) {
	const checksum = "write what `sha256sum` prints for the file"
	if a.SHA256 != "" && !sha256Hex.MatchString(a.SHA256) {
		v.refuse(path+".sha256", checksum, "%q is not a SHA-256", a.SHA256)
	}
	if a.Source == "" {
		if a.SHA256 != "" && strings.HasPrefix(path, "database.") {
			v.refuse(path+".source", "write where the file is", "there is a checksum without a file")
		}
		return
	}
	if s3URI.MatchString(a.Source) {
		return
	}
	u, err := url.Parse(a.Source)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || !urlText.MatchString(a.Source) {
		v.refuse(path+".source", "write s3://bucket/key, or an https URL", "%q is not a source that nodes can fetch from", a.Source)
		return
	}
	if !v.Network.CallsHTTPS() {
		v.refuse(path+".source", "write s3://bucket/key, or the server's addresses as network.egressCidrs",
			"nodes may not call %s", u.Host)
	}
	if a.SHA256 == "" {
		v.refuse(path+".sha256", checksum, "a file from another server needs a checksum")
	}
}
