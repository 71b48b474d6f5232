package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// releases proves how nodes come, go and are replaced.
func releases(c *cluster, want Expected) []*Verdict {
	all := []*Verdict{c.bounds(want), c.fetched(), c.awaited(), c.givenUp()}
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

const (
	tokenAssociation = "aws:ssm/association:Association"
)

// automation is the association that runs a document with a call in it and is told some values, which must be waited for.
func (c *cluster) automation(call string, told map[string]string) *resource {
	for _, a := range c.of(tokenAssociation) {
		d := c.one(tokenDocument, a.str("name"), "name")
		if d == nil || !strings.Contains(d.str("content"), call) {
			continue
		}
		parameters, wanted := a.object("parameters"), true
		for name, value := range told {
			wanted = wanted && value != "" && parameters.str(name) == value
		}
		if seconds, _ := a.number("waitForSuccessTimeoutSeconds"); wanted && seconds > 0 {
			return a
		}
	}
	return nil
}

// groupsOfNodes are the Auto Scaling groups whose instances are nodes, or run tasks that are.
func (c *cluster) groupsOfNodes() []*resource {
	var all []*resource
	add := func(g *resource) {
		if g != nil && g.token == tokenGroup && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	for _, n := range c.nodes {
		add(n.origin)
		if n.service != nil {
			for _, g := range c.hostGroups(n.service) {
				add(g)
			}
		}
	}
	return all
}

// awaited proves that an update ends only once every node runs what it brings, and that what fails is gone back from. The
// provider waits for neither: to it a service is steady while its tasks crash, and a refresh is done once it has begun.
func (c *cluster) awaited() *Verdict {
	v := &Verdict{Claim: "An update ends when every node serves what it brings, or fails and is gone back from"}
	var shown []string
	seen := map[*resource]bool{}
	for _, n := range c.nodes {
		if n.service == nil || seen[n.service] {
			continue
		}
		seen[n.service] = true
		if c.automation("describe_services", map[string]string{"TaskDefinition": n.service.str("taskDefinition")}) == nil {
			v.fault("nothing waits until %s has rolled out its task definition: it is steady to the provider as soon as its tasks run, "+
				"which they do between crashes too", n.service)
		}
		breaker := n.service.object("deploymentCircuitBreaker")
		if !breaker.flag("enable", false) || !breaker.flag("rollback", false) {
			v.fault("%s does not go back to the revision before when its tasks fail", n.service)
		}
		shown = append(shown, n.service.String()+" is waited for until its deployment is complete")
	}
	for _, g := range c.groupsOfNodes() {
		t := c.template(g)
		if t == nil {
			continue
		}
		newest, _ := t.number("latestVersion")
		a := c.automation("start_instance_refresh", map[string]string{"Template": t.id, "Version": fmt.Sprint(newest)})
		if a == nil {
			v.fault("nothing replaces the instances of %s by those of version %d of its template, and waits until it has", g, newest)
			continue
		}
		if g.object("instanceRefresh") != nil {
			v.fault("%s is given the new version of its template before its refresh begins: one that fails has nothing to go back to", g)
		}
		if content := c.one(tokenDocument, a.str("name"), "name").str("content"); !strings.Contains(content, "AutoRollback=True") {
			v.fault("the refresh of %s is not rolled back when it fails", g)
		} else {
			c.alarms(v, g, content)
		}
		if image := t.str("imageId"); strings.HasPrefix(image, "resolve:") {
			v.fault("%s has the image %s: a refresh cannot go back to a template that names a parameter", t, image)
		}
		if version := g.object("launchTemplate").str("version"); version == "" || strings.HasPrefix(version, "$") {
			v.fault("%s uses the version %q of its template: a refresh can only go back to a number", g, version)
		}
		shown = append(shown, g.String()+" is refreshed, and the refresh is waited for and rolled back when it fails")
	}
	if v.Shown = strings.Join(shown, ", "); v.Shown == "" {
		v.Shown = "each node is a resource of its own, or Kubernetes's to roll out"
	}
	return v
}

// alarms proves that the alarms which end a refresh are there.
func (c *cluster) alarms(v *Verdict, g *resource, content string) {
	var document struct {
		MainSteps []struct {
			Inputs struct{ InputPayload struct{ Alarms []string } }
		}
	}
	if err := json.Unmarshal([]byte(content), &document); err != nil || len(document.MainSteps) == 0 {
		v.fault("the refresh of %s cannot be read", g)
		return
	}
	for _, name := range document.MainSteps[0].Inputs.InputPayload.Alarms {
		if c.one("aws:cloudwatch/metricAlarm:MetricAlarm", name, "name") == nil {
			v.fault("the refresh of %s is to end when the alarm %s rings, and there is no such alarm", g, name)
		}
	}
}

const (
	// breakerThreshold is how many tasks must fail at the least before ECS gives a deployment up, and mostMinutes how long
	// that may take.
	breakerThreshold = 3
	mostMinutes      = 45
)

// givenUp proves that a release whose tasks hang is given up while somebody still looks. A task that hangs is stopped once
// it has failed its health checks for as long as they may fail, and not before the grace period is over.
func (c *cluster) givenUp() *Verdict {
	v := &Verdict{Claim: "A release on ECS whose servers hang is given up within three quarters of an hour",
		Shown: "there are no tasks of ECS"}
	for _, n := range c.nodes {
		if n.service == nil {
			continue
		}
		grace, _ := n.service.number("healthCheckGracePeriodSeconds")
		slowest := 0
		for _, container := range n.containers() {
			stop, _ := container.number("stopTimeout")
			check := container.object("healthCheck")
			interval, _ := check.number("interval")
			retries, _ := check.number("retries")
			start, _ := check.number("startPeriod")
			slowest = max(slowest, max(grace, start+interval*retries)+stop)
		}
		minutes := (breakerThreshold*slowest + 59) / 60
		if minutes > mostMinutes {
			v.fault("%s gives a release up after %d minutes: %d tasks that may be unhealthy for %d seconds each", n.service, minutes,
				breakerThreshold, slowest)
		}
		v.Shown = fmt.Sprintf("after %d minutes: %d tasks of %d seconds each", minutes, breakerThreshold, slowest)
	}
	return v
}
