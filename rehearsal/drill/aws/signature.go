package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// credentials are the temporary credentials of a role.
type credentials struct {
	key, secret, token string
	role               *state.Resource
	expires            time.Time
}

// issue returns new credentials of a role.
func (a *Account) issue(role *state.Resource) credentials {
	c := credentials{
		key: "ASIA" + strings.ToUpper(random(8)), secret: random(20), token: random(40), role: role,
		expires: time.Now().UTC().Add(6 * time.Hour).Truncate(time.Second),
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.issued[c.key] = c
	return c
}

// refusal is an error of an API.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

const dateFormat = "20060102T150405Z"

// signer returns the role whose credentials signed a request to a service, with Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (a *Account) signer(r *http.Request, body []byte, service string) (*state.Resource, *refusal) {
	algorithm, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if algorithm != "AWS4-HMAC-SHA256" {
		return nil, refuse(http.StatusForbidden, "MissingAuthenticationToken", "the request has no signature of version 4")
	}
	parts := map[string]string{}
	for one := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(one), "=")
		parts[key] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 {
		return nil, refuse(http.StatusForbidden, "IncompleteSignature", "its Credential has not five parts")
	}
	a.mu.Lock()
	c, ok := a.issued[scope[0]]
	a.mu.Unlock()
	if !ok || time.Now().After(c.expires) || !hmac.Equal([]byte(r.Header.Get("X-Amz-Security-Token")), []byte(c.token)) {
		return nil, refuse(http.StatusUnauthorized, "AuthFailure", "the access key or its session token is not valid")
	}
	if scope[2] != a.Region || scope[3] != service || scope[4] != "aws4_request" {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch", "it is signed for %s in %s", scope[3], scope[2])
	}
	at, err := time.Parse(dateFormat, r.Header.Get("X-Amz-Date"))
	if err != nil || at.Format("20060102") != scope[1] || time.Since(at).Abs() > 5*time.Minute {
		return nil, refuse(http.StatusForbidden, "RequestExpired", "its X-Amz-Date is not now")
	}
	signed := strings.Split(parts["SignedHeaders"], ";")
	if !slices.Contains(signed, "host") {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch", "the signature does not include the host")
	}
	want := sign(c.secret, scope[1:], at, canonical(r, signed, body))
	if !hmac.Equal([]byte(want), []byte(parts["Signature"])) {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch", "the signature is not that of the request")
	}
	return c.role, nil
}

// canonical returns the canonical form of a request.
func canonical(r *http.Request, signed []string, body []byte) string {
	b := &strings.Builder{}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	fmt.Fprintf(b, "%s\n%s\n%s\n", r.Method, path, query(r.URL.Query()))
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		// Go's server takes the length out of the headers.
		if name == "content-length" {
			value = fmt.Sprint(r.ContentLength)
		}
		fmt.Fprintf(b, "%s:%s\n", name, strings.Join(strings.Fields(value), " "))
	}
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	// A request to S3 may leave its body unsigned, since TLS protects it.
	if r.Header.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD" && strings.Contains(r.Host, ".s3.") {
		payload = "UNSIGNED-PAYLOAD"
	}
	fmt.Fprintf(b, "\n%s\n%s", strings.Join(signed, ";"), payload)
	return b.String()
}

// query returns the parameters in their canonical form.
func query(values url.Values) string {
	var all []string
	for key, list := range values {
		for _, value := range list {
			all = append(all, escape(key)+"="+escape(value))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "&")
}

// escape escapes as the signature needs it: a blank is %20.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// sign returns the signature of a canonical request. The scope is a date, a region, a service and aws4_request.
func sign(secret string, scope []string, at time.Time, request string) string {
	sum := sha256.Sum256([]byte(request))
	key := []byte("AWS4" + secret)
	for _, part := range scope {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, strings.Join([]string{
		"AWS4-HMAC-SHA256", at.Format(dateFormat), strings.Join(scope, "/"), hex.EncodeToString(sum[:]),
	}, "\n")))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(text)) // which never fails
	return h.Sum(nil)
}
