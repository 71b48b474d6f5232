package aws

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Secret is the value of a secret here. It is the same for every reader, and the state has none.
func Secret(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:12])
}

// Given is what the state does not contain and nodes read nevertheless.
type Given struct {
	// Values are the values of secrets that are not Secret, by the id with which they are read.
	Values map[string]string
	// Files are paths of files here, by the bucket and key of their object.
	Files map[string]string
}

// Holds reports whether an object is in the state.
func (a *Account) Holds(bucket, key string) bool {
	for _, o := range a.With(state.BucketObject, "key", key) {
		if o.Text("bucket") == bucket {
			return true
		}
	}
	return false
}

// content is an object's content.
func (a *Account) content(bucket, key string) ([]byte, bool) {
	if file, ok := a.Given.Files[bucket+"/"+key]; ok {
		raw, err := os.ReadFile(filepath.Clean(file))
		return raw, err == nil
	}
	for _, o := range a.With(state.BucketObject, "key", key) {
		if o.Text("bucket") == bucket {
			return []byte(o.Text("content")), true
		}
	}
	return nil, false
}

// serveS3 answers GET and HEAD of an object. The host's name begins with the bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func (a *Account) serveS3(w http.ResponseWriter, r *http.Request, endpoint *state.Resource) {
	bucket, _, _ := strings.Cut(r.Host, ".s3.")
	key := strings.TrimPrefix(r.URL.Path, "/")
	role, failed := a.signer(r, nil, "s3")
	if failed == nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		failed = refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "the API here only reads")
	}
	if failed == nil {
		on := iam.Context{"aws:ResourceAccount": {accountOf(role.Text("arn"))}}
		var own *iam.Policy
		for _, p := range a.With(state.BucketPolicy, "bucket", bucket) {
			own = new(iam.Parse(p.String(), p.Text("policy")))
		}
		failed = a.decide(role, "s3:GetObject", "arn:aws:s3:::"+bucket+"/"+key, endpoint, on, own)
	}
	var content []byte
	if failed == nil {
		var found bool
		if content, found = a.content(bucket, key); !found {
			failed = refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		}
	}
	if failed != nil {
		w.WriteHeader(failed.status)
		_, _ = w.Write(failed.of("s3"))
		return
	}
	sum := sha256.Sum256(content)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	w.Header().Set("Content-Type", "binary/octet-stream")
	http.ServeContent(w, r, "", a.began, strings.NewReader(string(content)))
}

func accountOf(arn string) string { return strings.Split(arn+":::::", ":")[4] }

// callSecrets answers GetSecretValue, the only call of nodes to Secrets Manager.
func (a *Account) callSecrets(target string, body []byte, role, endpoint *state.Resource) ([]byte, *refusal) {
	_, action, _ := strings.Cut(target, ".")
	var in struct{ SecretId string } //nolint:revive // the service's name
	if err := json.Unmarshal(body, &in); err != nil || action != "GetSecretValue" {
		return nil, refuse(http.StatusBadRequest, "InvalidRequestException", "the API here knows only GetSecretValue: %s, %v", action, err)
	}
	arn, failed := a.reads(role, in.SecretId, endpoint)
	if failed != nil {
		failed.status, failed.code = http.StatusBadRequest, "AccessDeniedException"
		return nil, failed
	}
	value, given := a.Given.Values[in.SecretId]
	if !given {
		value = Secret(in.SecretId)
	}
	return []byte(text(map[string]any{
		"ARN": arn, "Name": arn[strings.LastIndex(arn, ":")+1:], "SecretString": value, "VersionStages": []string{"AWSCURRENT"},
	})), nil
}

// reads decides whether a role may read a secret, and returns its ARN.
func (a *Account) reads(role *state.Resource, id string, endpoint *state.Resource) (string, *refusal) {
	arn, key := a.secret(id)
	on := iam.Context{"secretsmanager:SecretId": {arn}, "aws:ResourceAccount": {accountOf(arn)}}
	failed := a.may(role, "secretsmanager:GetSecretValue", arn, endpoint, on)
	if k := a.One(state.KMSKey, key, "arn", "keyId"); failed == nil && k != nil {
		// Secrets Manager decrypts with the caller's permissions, and its request goes through no endpoint of the VPC.
		// AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
		policy := iam.Parse(k.String(), k.Text("policy"))
		failed = a.decide(role, "kms:Decrypt", k.Text("arn"), nil, iam.Context{
			"kms:ViaService": {"secretsmanager." + a.Region + ".amazonaws.com"}, "kms:CallerAccount": {accountOf(role.Text("arn"))},
			"kms:EncryptionContext:SecretARN": {arn}, "kms:EncryptionContextKeys": {"SecretARN", "SecretVersionId"},
		}, &policy)
	}
	return arn, failed
}

// secret returns the ARN and the key of a secret of the state, or of a secret of a team, whose key is not in the state.
func (a *Account) secret(id string) (arn, key string) {
	if s := a.One(state.Secret, id, "arn", "name"); s != nil {
		return s.Text("arn"), s.Text("kmsKeyId")
	}
	for _, d := range a.Databases() {
		for _, one := range d.Objects("masterUserSecrets") {
			if one.Text("secretArn") == id {
				return id, one.Text("kmsKeyId")
			}
		}
	}
	return id, ""
}

// callMetrics answers PutMetricData in the protocol of the call. The CLI may use any of the three, by its release.
func (a *Account) callMetrics(w http.ResponseWriter, r *http.Request, body []byte, role, endpoint *state.Resource) ([]byte, *refusal) {
	_, target, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	form, _ := url.ParseQuery(string(body))
	action, answer := cmp.Or(target, form.Get("Action")), []byte("{}")
	if form.Get("Action") != "" {
		answer = []byte(`<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"/>`)
	}
	if _, operation, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		action, answer = operation, []byte{0xa0} // an empty map
	}
	if action != "PutMetricData" {
		return nil, refuse(http.StatusBadRequest, "InvalidAction", "the API here does not know %s", action)
	}
	const namespace = "WSO2IS"
	if !strings.Contains(string(body), namespace) {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "nodes publish to the namespace %s", namespace)
	}
	if failed := a.may(role, "cloudwatch:PutMetricData", "*", endpoint, iam.Context{"cloudwatch:namespace": {namespace}}); failed != nil {
		return nil, failed
	}
	return answer, nil
}
