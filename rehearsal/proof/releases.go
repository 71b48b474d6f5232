package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// releases proves how nodes come, go and are replaced.
func releases(c *cluster, want Expected) []*Verdict {
	all := []*Verdict{c.bounds(want), c.fetched()}
	if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.pod != nil }) {
		all = append(all, c.gates())
	}
	return all
}

const (
	tokenScaling = "aws:autoscaling/policy:Policy"
	tokenTasks   = "aws:appautoscaling/target:Target"
	tokenPods    = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
)

// bounds proves that what scales stops at the number of nodes that the stack file names. A group whose instances are
// replaced one by one needs no room above it: MaxSize bounds the desired capacity, and a replacement does not change that.
func (c *cluster) bounds(want Expected) *Verdict {
	v := &Verdict{Claim: "Scaling stops at the number of nodes that the stack file names", Shown: "nothing scales"}
	var shown []string
	check := func(by *resource, most int) {
		if want.Most == 0 {
			v.fault("%s scales to %d nodes, and the stack file asks for no scaling", by, most)
		} else if most > want.Most {
			v.fault("%s may ask for %d nodes; nodes.autoscaling.max is %d", by, most, want.Most)
		}
		shown = append(shown, fmt.Sprintf("%s up to %d", by, most))
	}
	for _, policy := range c.of(tokenScaling) {
		if group := c.one(tokenGroup, policy.str("autoscalingGroupName"), "name"); group != nil {
			most, _ := group.number("maxSize")
			check(group, most)
		}
	}
	for _, target := range c.of(tokenTasks) {
		most, _ := target.number("maxCapacity")
		check(target, most)
	}
	for _, scaler := range c.of(tokenPods) {
		most, _ := scaler.object("spec").number("maxReplicas")
		check(scaler, most)
	}
	if len(shown) > 0 {
		v.Shown = strings.Join(shown, ", ")
	}
	return v
}

var (
	// fetchLine is how user data and containers name what they fetch: source|checksum|path.
	fetchLine  = regexp.MustCompile(`([A-Za-z0-9_.:/-]+)\|([0-9a-f]{64})\|`)
	dataBucket = regexp.MustCompile(`(?m)^BUCKET='?([a-z0-9.-]+)'?$`)
)

const tokenLifecycle = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"

// fetched proves that what is started now or later from a definition that is in use finds the files that it names: each
// lies under a key of its own content, and nothing takes it away. A launch template's earlier version and a task
// definition's earlier revision were proven so when they were in use.
func (c *cluster) fetched() *Verdict {
	v := &Verdict{Claim: "Whatever starts from a definition, old or new, finds the files that it names"}
	starts := map[string]string{}
	for _, n := range c.nodes {
		starts[n.origin.String()] = n.text
	}
	for _, d := range c.of(tokenDefinition) {
		starts[d.String()] = d.str("containerDefinitions")
	}
	files := map[string]bool{}
	for who, text := range starts {
		own := ""
		if m := dataBucket.FindStringSubmatch(text); m != nil {
			own = m[1]
		}
		for _, m := range fetchLine.FindAllStringSubmatch(strings.ReplaceAll(text, `\n`, "\n"), -1) {
			bucket, key, sum := own, m[1], m[2]
			if rest, s3 := strings.CutPrefix(key, "s3://"); s3 {
				bucket, key, _ = strings.Cut(rest, "/")
			}
			if c.one("aws:s3/bucketV2:BucketV2", bucket, "bucket") == nil {
				continue // not this stack's
			}
			files[bucket+"/"+key] = true
			c.file(v, who, bucket, key, sum)
		}
	}
	for _, l := range c.of(tokenLifecycle) {
		for file := range files {
			if !strings.HasPrefix(file, l.str("bucket")+"/") {
				continue
			}
			for _, rule := range l.objects("rules") {
				if rule.object("expiration") != nil {
					v.fault("%s deletes the files of %s after some days, whether or not something still fetches them", l, l.str("bucket"))
				}
			}
		}
	}
	v.Shown = fmt.Sprintf("%d files, each under a key with its own checksum, which nothing deletes", len(files))
	if len(files) == 0 {
		v.Shown = "no node fetches files of the stack's own"
	}
	return v
}

func (c *cluster) file(v *Verdict, who, bucket, key, sum string) {
	var object *resource
	for _, o := range c.with(tokenObject, "key", key) {
		if o.str("bucket") == bucket {
			object = o
		}
	}
	if object == nil {
		v.fault("%s fetches %s, and there is no such object", who, key)
		return
	}
	if is := sha256.Sum256([]byte(object.str("content"))); hex.EncodeToString(is[:]) != sum {
		v.fault("%s fetches %s with the checksum %s, and what is there has another", who, key, sum)
	}
	if !strings.Contains(key, sum) {
		v.fault("%s is overwritten when its content changes, and %s, which has its checksum, could then start nothing more", key, who)
	}
	if !object.retained {
		v.fault("%s is deleted when another one takes its place, and %s could then not be gone back to", object, who)
	}
}
