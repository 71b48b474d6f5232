package cloud

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// fetched is a file in a bucket of the account that a definition names with its checksum.
type fetched struct{ bucket, key, sum string }

var (
	// fetchLine is the form in which user data and containers name a download: source|checksum|path.
	fetchLine    = regexp.MustCompile(`([A-Za-z0-9_.:/-]+)\|([0-9a-f]{64})\|`)
	bucketOfData = regexp.MustCompile(`(?m)^BUCKET='?([a-z0-9.-]+)'?$`)
)

// fetches lists the files of the stack's own buckets in a text. Files in other buckets are not checked.
func (c *Cloud) fetches(definition string) []fetched {
	own := ""
	if m := bucketOfData.FindStringSubmatch(definition); m != nil {
		own = m[1]
	}
	var all []fetched
	for _, m := range fetchLine.FindAllStringSubmatch(definition, -1) {
		f := fetched{own, m[1], m[2]}
		if rest, s3 := strings.CutPrefix(m[1], "s3://"); s3 {
			f.bucket, f.key, _ = strings.Cut(rest, "/")
		} else if strings.Contains(m[1], "://") {
			continue
		}
		if b := c.find(f.bucket, "id", state.Bucket); b != nil && !b.Existing {
			all = append(all, f)
		}
	}
	return all
}

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func (c *Cloud) fileAt(bucket, key string) *Resource {
	return c.of(state.BucketObject).resources[keyOf(state.BucketObject, key, Object{"bucket": bucket})]
}

// filesExist refuses to start anything from a definition with missing files.
func (c *Cloud) filesExist(who, definition string) error {
	var wrong []error
	for _, f := range c.fetches(definition) {
		switch o := c.fileAt(f.bucket, f.key); {
		case o == nil:
			wrong = append(wrong, fail("NoSuchKey", "%s fetches s3://%s/%s, and there is no such object", who, f.bucket, f.key))
		case sumOf(text(o.Inputs, "content")) != f.sum:
			wrong = append(wrong, fail("ChecksumMismatch", "%s fetches s3://%s/%s with the checksum %s, and the object has another one",
				who, f.bucket, f.key, f.sum))
		}
	}
	return errors.Join(wrong...)
}

// definition is the text that names the files of an instance or a task.
type definition struct{ who, text string }

// definitions returns all definitions from which something may still start: those of running instances, every version
// of a launch template in a group, and every revision of a task definition while a service runs. A failed refresh or
// deployment rolls back to an earlier one.
func (c *Cloud) definitions() []definition {
	var all []definition
	for _, g := range c.all(state.AutoScalingGroup) {
		t := (&Call{Cloud: c, In: g.Inputs}).template()
		if t == nil {
			continue
		}
		for _, version := range append(t.Earlier, t.Inputs) {
			if raw, err := base64.StdEncoding.DecodeString(text(version, "userData")); err == nil {
				all = append(all, definition{"a version of " + t.describe(), string(raw)})
			}
		}
	}
	if len(c.all(state.ECSService)) > 0 {
		for _, d := range c.all(state.TaskDefinition) {
			all = append(all, definition{"a revision of " + d.describe(), containerText(d)})
		}
	}
	for _, i := range c.all(state.EC2Instance) {
		data := text(i.Inputs, "userData")
		if raw, err := base64.StdEncoding.DecodeString(text(i.Inputs, "userDataBase64")); err == nil && len(raw) > 0 {
			data = string(raw)
		}
		all = append(all, definition{i.describe(), data})
	}
	return all
}

// containerText returns a task definition's text with the line breaks of its variables.
func containerText(task *Resource) string {
	return strings.ReplaceAll(text(task.Inputs, "containerDefinitions"), `\n`, "\n")
}

// mayStillBeFetched refuses to delete or overwrite an object that may still be downloaded.
func (c *Call) mayStillBeFetched(doing, bucket, key, content string) error {
	for _, d := range c.Cloud.definitions() {
		for _, f := range c.Cloud.fetches(d.text) {
			if f.bucket == bucket && f.key == key && f.sum != sumOf(content) {
				return fail("ObjectInUse", "s3://%s/%s is %s while %s fetches it with the checksum %s: everything that starts from it at a "+
					"scale-out or a rollback would fail at the checksum", bucket, key, doing, d.who, f.sum)
			}
		}
	}
	return nil
}

func objectIsNotOverwritten(c *Call) error {
	if c.Preview || c.unknown("content", "key", "bucket") {
		return nil
	}
	old := c.Cloud.fileAt(c.text("bucket"), c.text("key"))
	if old == nil || text(old.Inputs, "content") == c.text("content") {
		return nil
	}
	return c.mayStillBeFetched("overwritten", c.text("bucket"), c.text("key"), c.text("content"))
}

// objectNotNeeded refuses to delete an object that may still be downloaded.
func objectNotNeeded(c *Call) error {
	return c.mayStillBeFetched("deleted", c.text("bucket"), c.text("key"), "")
}
