package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// releases proves how nodes start, stop and are replaced.
func releases(c *cluster, want Expected) []*Verdict {
	all := []*Verdict{c.scalingBounds(want), c.downloadedFiles(), c.containerInputs(), c.rollouts(), c.hangingReleases()}
	if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.pod != nil }) {
		all = append(all, c.readinessGates())
	}
	return all
}

// scalingBounds proves that scaling stops at the number of nodes in the stack file. A group whose instances are replaced one
// by one needs no more room: MaxSize limits the desired capacity, and a replacement does not change that.
func (c *cluster) scalingBounds(want Expected) *Verdict {
	v := &Verdict{Claim: "Scaling stops at the number of nodes that the stack file names", Shown: "nothing scales"}
	var shown []string
	check := func(by *state.Resource, most int) {
		if want.Most == 0 {
			v.fault("%s scales to %d nodes, and the stack file asks for no scaling", by, most)
		} else if most > want.Most {
			v.fault("%s may ask for %d nodes; nodes.autoscaling.max is %d", by, most, want.Most)
		}
		shown = append(shown, fmt.Sprintf("%s up to %d", by, most))
	}
	for _, policy := range c.Of(state.AutoScalingPolicy) {
		if group := c.One(state.AutoScalingGroup, policy.Text("autoscalingGroupName"), "name"); group != nil {
			most, _ := group.Int("maxSize")
			check(group, most)
		}
	}
	for _, target := range c.Of(state.ScalableTarget) {
		most, _ := target.Int("maxCapacity")
		check(target, most)
	}
	for _, scaler := range c.Of(state.HorizontalPodAutoscaler) {
		most, _ := scaler.Object("spec").Int("maxReplicas")
		check(scaler, most)
	}
	for _, group := range c.Of(state.AutoScalingGroup) {
		if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == group }) {
			c.checkGroupSize(v, group)
		}
	}
	c.checkInstanceCount(v)
	if len(shown) > 0 {
		v.Shown = strings.Join(shown, ", ")
	}
	return v
}

// checkInstanceCount proves that an Auto Scaling group has at most one instance for each task of its service, and one more for a
// deployment.
func (c *cluster) checkInstanceCount(v *Verdict) {
	for _, service := range c.Of(state.ECSService) {
		tasks, _ := service.Int("desiredCount")
		for _, target := range c.Of(state.ScalableTarget) {
			if strings.HasSuffix(target.Text("resourceId"), "/"+service.Text("name")) {
				tasks, _ = target.Int("maxCapacity")
			}
		}
		for _, group := range c.hostGroups(service) {
			if most, _ := group.Int("maxSize"); most > tasks+1 {
				v.fault("%s may have %d instances for %d tasks of %s, which need one each", group, most, tasks, service)
			}
		}
	}
}

// checkGroupSize proves that a group of nodes keeps the number in the stack file. Without scaling it is the only number.
func (c *cluster) checkGroupSize(v *Verdict, group *state.Resource) {
	least, _ := group.Int("minSize")
	most, _ := group.Int("maxSize")
	wanted, _ := group.Int("desiredCapacity")
	switch scales := len(c.With(state.AutoScalingPolicy, "autoscalingGroupName", group.Text("name"))) > 0; {
	case least == 0:
		v.fault("%s may be left without a node: its minSize is 0", group)
	case !scales && (least != wanted || most != wanted):
		v.fault("%s has the desired capacity %d and the bounds %d to %d, and nothing scales it", group, wanted, least, most)
	}
}

var (
	// fetchLine is the form in which user data and containers name a download: source|checksum|path.
	fetchLine  = compile(`([A-Za-z0-9_.:/-]+)\|([0-9a-f]{64})\|`)
	dataBucket = compile(`(?m)^BUCKET='?([a-z0-9.-]+)'?$`)
)

// downloadedFiles proves that everything that starts from a definition in use finds its files, now and later. The key of each
// file depends on its content, and nothing deletes the file. Earlier versions of a launch template or a task definition
// were proven when they were in use.
func (c *cluster) downloadedFiles() *Verdict {
	v := &Verdict{Claim: "Every node finds its files, from an old definition or a new one"}
	starts := map[string]string{}
	for _, n := range c.nodes {
		starts[n.origin.String()] = n.text
	}
	for _, d := range c.Of(state.TaskDefinition) {
		starts[d.String()] = d.Text("containerDefinitions")
	}
	files := map[string]bool{}
	for who, text := range starts {
		own := ""
		if m := dataBucket.all(text); m != nil {
			own = m[0][1]
		}
		for _, m := range fetchLine.all(strings.ReplaceAll(text, `\n`, "\n")) {
			bucket, key, sum := own, m[1], m[2]
			if rest, s3 := strings.CutPrefix(key, "s3://"); s3 {
				bucket, key, _ = strings.Cut(rest, "/")
			}
			if c.One(state.Bucket, bucket, "bucket") == nil {
				continue // the stack does not own it
			}
			files[bucket+"/"+key] = true
			c.checkFile(v, who, bucket, key, sum)
		}
	}
	for _, l := range c.Of(state.BucketLifecycle) {
		for file := range files {
			if !strings.HasPrefix(file, l.Text("bucket")+"/") {
				continue
			}
			for _, rule := range l.Objects("rules") {
				if rule.Object("expiration") != nil {
					v.fault("%s deletes the files of %s after some days, whether or not something still fetches them", l, l.Text("bucket"))
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

// object returns an object of a bucket, or nil.
func (c *cluster) object(bucket, key string) *state.Resource {
	for _, o := range c.With(state.BucketObject, "key", key) {
		if o.Text("bucket") == bucket {
			return o
		}
	}
	return nil
}

func (c *cluster) checkFile(v *Verdict, who, bucket, key, sum string) {
	object := c.object(bucket, key)
	if object == nil {
		v.fault("%s fetches %s, and there is no such object", who, key)
		return
	}
	if is := sha256.Sum256([]byte(object.Text("content"))); hex.EncodeToString(is[:]) != sum {
		v.fault("%s fetches %s with the checksum %s, and the object has another one", who, key, sum)
	}
	if !strings.Contains(key, sum) {
		v.fault("%s is overwritten when its content changes, and %s has the old checksum: it could then start nothing more", key, who)
	}
	if !object.RetainOnDelete {
		v.fault("%s is deleted when another one replaces it, and %s could then not be rolled back to", object, who)
	}
}

// automation returns the association that runs a document with a call in it, and has some parameters. The update must
// wait for it.
func (c *cluster) automation(call string, told map[string]string) *state.Resource {
	for _, a := range c.Of(state.SSMAssociation) {
		d := c.One(state.SSMDocument, a.Text("name"), "name")
		if d == nil || !strings.Contains(d.Text("content"), call) {
			continue
		}
		parameters, wanted := a.Object("parameters"), true
		for name, value := range told {
			wanted = wanted && value != "" && parameters.Text(name) == value
		}
		if seconds, _ := a.Int("waitForSuccessTimeoutSeconds"); wanted && seconds > 0 {
			return a
		}
	}
	return nil
}

// groupsOfNodes returns the Auto Scaling groups of nodes on instances, or of the hosts of their tasks.
func (c *cluster) groupsOfNodes() []*state.Resource {
	var all []*state.Resource
	add := func(g *state.Resource) {
		if g != nil && g.Type == state.AutoScalingGroup && !slices.Contains(all, g) {
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

// rollouts proves that an update ends only when every node runs the new version, and that a failed update is rolled
// back. The provider does not wait: for it a service is steady while its tasks crash, and a refresh is finished as soon
// as it starts.
func (c *cluster) rollouts() *Verdict {
	v := &Verdict{Claim: "An update ends when every node runs the new version, or fails and is rolled back"}
	var shown []string
	seen := map[*state.Resource]bool{}
	for _, n := range c.nodes {
		if n.service == nil || seen[n.service] {
			continue
		}
		seen[n.service] = true
		if c.automation("describe_services", map[string]string{"TaskDefinition": n.service.Text("taskDefinition")}) == nil {
			v.fault("nothing waits until %s has rolled out its task definition: it is stable for the provider as soon as its tasks run, "+
				"also between two crashes", n.service)
		}
		breaker := n.service.Object("deploymentCircuitBreaker")
		if !breaker.Flag("enable", false) || !breaker.Flag("rollback", false) {
			v.fault("%s does not roll back to the earlier revision when its tasks fail", n.service)
		}
		// Tasks that are healthy but answer requests with errors pass the circuit breaker.
		alarms := n.service.Object("alarms")
		switch {
		case alarms.Flag("enable", false) && alarms.Flag("rollback", false):
		case c.front.Given && c.front.Listener == "":
			v.open("only the owner of the existing load balancer sees errors to clients: no alarm ends a deployment")
		default:
			v.fault("%s does not roll back to the earlier revision when clients get errors: no alarm stops its deployment", n.service)
		}
		c.checkAlarms(v, "the deployment of "+n.service.String(), alarms.Texts("alarmNames"))
		shown = append(shown, n.service.String()+" is waited for until its deployment is complete")
	}
	for _, g := range c.groupsOfNodes() {
		t := c.template(g)
		if t == nil {
			continue
		}
		newest, _ := t.Int("latestVersion")
		a := c.automation("start_instance_refresh", map[string]string{"Template": t.ID, "Version": fmt.Sprint(newest)})
		if a == nil {
			v.fault("nothing replaces the instances of %s with those of version %d of its template and waits for the end", g, newest)
			continue
		}
		if g.Object("instanceRefresh") != nil {
			v.fault("%s gets the new version of its template before its refresh begins: a failed refresh has no version to roll back to", g)
		}
		if content := c.One(state.SSMDocument, a.Text("name"), "name").Text("content"); !strings.Contains(content, "AutoRollback=True") {
			v.fault("the refresh of %s is not rolled back when it fails", g)
		} else {
			c.checkRefresh(v, g, content)
		}
		if image := t.Text("imageId"); strings.HasPrefix(image, "resolve:") {
			v.fault("%s has the image %s: a refresh cannot roll back to a template that names a parameter", t, image)
		}
		if version := g.Object("launchTemplate").Text("version"); version == "" || strings.HasPrefix(version, "$") {
			v.fault("%s uses the version %q of its template: a refresh can only roll back to a number", g, version)
		}
		shown = append(shown, g.String()+" is refreshed, and the refresh is waited for and rolled back when it fails")
	}
	if v.Shown = strings.Join(shown, ", "); v.Shown == "" {
		v.Shown = "each node is its own resource, or Kubernetes rolls the nodes out"
	}
	return v
}

// checkRefresh proves that the alarms that stop a refresh exist, and that it starts an instance before it ends one. EC2 Auto Scaling
// does not document how it rounds the percentage, so the proof rounds it down.
func (c *cluster) checkRefresh(v *Verdict, g *state.Resource, content string) {
	var document struct {
		MainSteps []struct {
			Inputs struct {
				InputPayload struct {
					Alarms      []string
					Preferences struct{ MinHealthyPercentage, MaxHealthyPercentage int }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(content), &document); err != nil || len(document.MainSteps) == 0 {
		v.fault("the refresh of %s cannot be read", g)
		return
	}
	told := document.MainSteps[0].Inputs.InputPayload
	c.checkAlarms(v, "the refresh of "+g.String(), told.Alarms)
	least, _ := g.Int("minSize")
	if most := told.Preferences.MaxHealthyPercentage; told.Preferences.MinHealthyPercentage < 100 || least*most/100 <= least {
		v.fault("the refresh of %s may end an instance before another one serves: %d to %d %% of %d instances are no room for one more", g,
			told.Preferences.MinHealthyPercentage, most, least)
	}
}

// checkAlarms proves that the alarms that stop a release exist.
func (c *cluster) checkAlarms(v *Verdict, release string, alarms []string) {
	for _, name := range alarms {
		if c.One(state.MetricAlarm, name, "name") == nil {
			v.fault("%s must stop when the alarm %s rings, and there is no such alarm", release, name)
		}
	}
}

const (
	// breakerThreshold is the least number of failed tasks before ECS gives up a deployment, and mostMinutes the
	// longest time this may take.
	breakerThreshold = 3
	mostMinutes      = 45
)

// hangingReleases proves that a release with hanging tasks is given up in a time in which somebody still watches. ECS stops a
// hanging task when its health checks have failed often enough, but not during the grace period.
func (c *cluster) hangingReleases() *Verdict {
	v := &Verdict{Claim: "ECS gives up a release with hanging servers within 45 minutes",
		Shown: "there are no tasks of ECS"}
	for _, n := range c.nodes {
		if n.service == nil {
			continue
		}
		grace, _ := n.service.Int("healthCheckGracePeriodSeconds")
		slowest := 0
		for _, container := range n.containers() {
			stop, _ := container.Int("stopTimeout")
			check := container.Object("healthCheck")
			interval, _ := check.Int("interval")
			retries, _ := check.Int("retries")
			start, _ := check.Int("startPeriod")
			slowest = max(slowest, max(grace, start+interval*retries)+stop)
		}
		if grace < startTakes {
			v.fault("%s stops a node that is still starting: its grace period is %d s, and a start may take %d s", n.service, grace, startTakes)
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
