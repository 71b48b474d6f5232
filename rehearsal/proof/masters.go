package proof

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// proveMasters proves that only programs that end may read the password of a database's master user: they make the
// schema. Otherwise a hole in a server would give access to the database's administrator.
func (a *access) proveMasters() {
	v := a.masters
	shown := map[string]bool{}
	for _, d := range a.Databases() {
		for _, secret := range d.Objects("masterUserSecrets") {
			if arn := secret.Text("secretArn"); arn != "" {
				a.proveMaster(arn, d.String(), shown)
			}
		}
	}
	if e := a.existing; e.Secret != "" {
		v.open(unseen)
		a.proveMaster(e.Secret, "the database "+e.Host, shown)
	}
	if len(a.existing.Users) > 0 {
		v.open(unseen)
		shown["the database "+a.existing.Host+" has users of the team's, and the stack knows no administrator of it"] = true
	}
	if given := a.proveJobSecret(); !given && len(shown) == 0 && a.existing.Secret != "" {
		v.fault("no program that ends may read %s: nobody makes the schema", a.existing.Secret)
	}
	for _, who := range slices.Sorted(maps.Keys(shown)) {
		a.show(v, who)
	}
}

// proveMaster proves for one master password that only programs that end may read it.
func (a *access) proveMaster(arn, of string, shown map[string]bool) {
	v := a.masters
	for _, role := range a.Of(state.Role) {
		fault, open := a.decide(call{as: a.unlimited(role), action: "secretsmanager:GetSecretValue", on: arn})
		if open != "" {
			v.open("%s", open)
		}
		if fault != "" || open != "" {
			continue
		}
		ends, stays := a.programsOf(role)
		for _, who := range stays {
			v.fault("role %s may read the master password of %s, and %s uses the role as long as it runs", role.Text("name"), of, who)
		}
		if len(ends)+len(stays) == 0 {
			v.fault("role %s may read the master password of %s, and no program that ends uses the role", role.Text("name"), of)
		}
		for _, who := range ends {
			shown[who] = true
		}
	}
}

// proveForeignSecrets proves that no role reads secrets and parameters of others in the account.
func (a *access) proveForeignSecrets() {
	v := a.others
	for _, role := range a.Of(state.Role) {
		for _, on := range []struct {
			arn     string
			actions []string
		}{
			{a.arn("ssm", "parameter/another"), []string{"ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"}},
			{a.arn("secretsmanager", "secret:another-AbCdEf"), []string{"secretsmanager:GetSecretValue"}},
			{"arn:" + a.partition + ":s3:::another/x", []string{"s3:GetObject"}},
		} {
			var may []string
			for _, action := range on.actions {
				fault, open := a.decide(call{as: a.unlimited(role), action: action, on: on.arn})
				for _, o := range nonEmpty(open) {
					v.open("%s", o)
				}
				if fault == "" && open == "" {
					may = append(may, action)
				}
			}
			if len(may) > 0 {
				v.fault("role %s may read what belongs to others: %s on %s", role.Text("name"), strings.Join(may, ", "), on.arn)
			}
		}
	}
	a.show(v, fmt.Sprintf("%d roles", len(a.Of(state.Role))))
}

// programsOf returns the programs that use a role: those that end by themselves, and those that stay.
func (a *access) programsOf(role *state.Resource) (ends, stays []string) {
	for _, s := range assumed {
		for _, r := range a.Of(s.token) {
			if !slices.ContainsFunc(textsAt(r.Properties(), strings.Split(s.property, ".")), func(name string) bool {
				return a.One(state.Role, name, "name", "arn") == role
			}) {
				continue
			}
			one, more := []string{}, []string{}
			switch s.token {
			case state.InstanceProfile:
				one, more = a.launchedWith(r)
			case state.TaskDefinition:
				one, more = a.servicesOf(r)
			case state.PodIdentityAssociation:
				one, more = a.workloadsOf(r)
			}
			if len(one)+len(more) == 0 {
				more = []string{r.String()}
			}
			ends, stays = append(ends, one...), append(stays, more...)
		}
	}
	slices.Sort(ends)
	slices.Sort(stays)
	return slices.Compact(ends), slices.Compact(stays)
}

// launchedWith returns the instances with a profile. Instances end if no group starts them from their template.
func (a *access) launchedWith(profile *state.Resource) (ends, stays []string) {
	has := func(name string) bool {
		return name != "" && a.One(state.InstanceProfile, name, "name", "arn") == profile
	}
	for _, i := range a.Of(state.EC2Instance) {
		if has(i.Text("iamInstanceProfile")) {
			stays = append(stays, i.String())
		}
	}
	for _, t := range a.Of(state.LaunchTemplate) {
		if p := t.Object("iamInstanceProfile"); !has(cmp.Or(p.Text("arn"), p.Text("name"))) {
			continue
		}
		var groups []string
		for _, g := range a.Of(state.AutoScalingGroup) {
			if a.template(g) == t {
				groups = append(groups, g.String())
			}
		}
		for _, g := range a.Of(state.NodeGroup) {
			if spec := g.Object("launchTemplate"); a.One(state.LaunchTemplate, cmp.Or(spec.Text("id"), spec.Text("name")), "name") == t {
				groups = append(groups, g.String())
			}
		}
		if stays = append(stays, groups...); len(groups) == 0 {
			ends = append(ends, t.String())
		}
	}
	return ends, stays
}

// servicesOf returns the services that run a task definition, or the task itself if no service does.
func (a *access) servicesOf(definition *state.Resource) (ends, stays []string) {
	for _, s := range a.Of(state.ECSService) {
		if a.TaskDefinition(s.Text("taskDefinition")) == definition {
			stays = append(stays, s.String())
		}
	}
	if len(stays) == 0 {
		ends = append(ends, definition.String())
	}
	return ends, stays
}

// workloadsOf returns the workloads of an association's service account.
func (a *access) workloadsOf(association *state.Resource) (ends, stays []string) {
	for _, w := range a.workloads(state.Deployment, state.StatefulSet, state.Job) {
		if w.namespace != association.Text("namespace") || cmp.Or(w.spec.Text("serviceAccountName"), "default") != association.Text("serviceAccount") {
			continue
		}
		if w.of.Type == state.Job {
			ends = append(ends, w.of.String())
		} else {
			stays = append(stays, w.of.String())
		}
	}
	return ends, stays
}

// proveJobSecret proves that no server's pod is given the Kubernetes secret with a job's master password. It reports whether
// there is such a secret.
func (a *access) proveJobSecret() (given bool) {
	kept := map[string]string{}
	for _, w := range a.workloads(state.Job) {
		w.secretRefs(func(name, variable string) {
			if strings.Contains(variable, "_MASTER_") {
				kept[w.namespace+"/"+name] = fmt.Sprintf("the secret %s, which has a master password for %s", name, w.of)
			}
		})
	}
	for _, w := range a.workloads(state.Deployment, state.StatefulSet) {
		var names []string
		w.secretRefs(func(name, _ string) {
			if what := kept[w.namespace+"/"+name]; what != "" {
				names = append(names, what)
			}
		})
		for _, what := range slices.Compact(slices.Sorted(slices.Values(names))) {
			a.masters.fault("the pods of %s are given %s", w.of, what)
		}
	}
	return len(kept) > 0
}

// userPassword is the schema program's variable with the password of a database's user.
var userPassword = regexp.MustCompile(`\bSCHEMA_[A-Z]+_PASSWORD\b`)

// proveEncryptionKey proves that every program that gets the password with which it makes the schema also gets the encryption key.
// It checks whether the key opens the database. Without this check, the first user whose password cannot be decrypted
// would notice.
func (a *access) proveEncryptionKey() {
	told := func(r *state.Resource, text string) {
		own := len(a.existing.Users) > 0 && userPassword.MatchString(text) || a.existing.Secret != "" && strings.Contains(text, a.existing.Secret)
		if own || strings.Contains(text, "_MASTER_PASSWORD") || strings.Contains(text, ":secret:rds!") {
			a.show(a.opened, r.String())
			if !strings.Contains(text, "SCHEMA_ENCRYPTION_KEY") {
				a.opened.fault("%s makes the schema and does not get the encryption key: servers would start on a database that the key does not open", r)
			}
		}
	}
	for _, t := range a.Of(state.LaunchTemplate) {
		told(t, userData(t.Text))
	}
	for _, d := range a.Of(state.TaskDefinition) {
		told(d, d.Text("containerDefinitions"))
	}
	for _, w := range a.workloads(state.Job) {
		var variables []string
		w.secretRefs(func(_, variable string) { variables = append(variables, variable) })
		told(w.of, strings.Join(variables, " "))
	}
	if a.shown[a.opened] == nil {
		a.opened.fault("nothing makes the schema")
	}
}

// secretRefs calls told with every Kubernetes secret of a workload's pods, and with the variable that a value becomes.
func (w *workload) secretRefs(told func(name, variable string)) {
	for _, volume := range w.spec.Objects("volumes") {
		if name := volume.Object("secret").Text("secretName"); name != "" {
			told(name, "")
		}
	}
	for _, c := range w.containers() {
		for _, e := range c.Objects("env") {
			if name := e.Object("valueFrom").Object("secretKeyRef").Text("name"); name != "" {
				told(name, e.Text("name"))
			}
		}
		for _, from := range c.Objects("envFrom") {
			if name := from.Object("secretRef").Text("name"); name != "" {
				told(name, "")
			}
		}
	}
}
