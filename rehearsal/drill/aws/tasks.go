package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Place is where a task of a service may run: an interface of its own, or that of its container instance.
type Place struct {
	Name, Zone string
	Address    netip.Addr
	// Host is its container instance, or nil if the task has an interface of its own.
	Host *Instance
	// Role is the task role, or nil.
	Service, Definition, Role *state.Resource
	// Tags are those that ECS gives to the task.
	Tags map[string]string

	// The running task is guarded by the account. It is nil if none runs.
	running *task
}

// task is one task.
type task struct {
	id, health string
	created    time.Time
}

// The health of a task whose essential containers have a health check.
const (
	Unknown   = "UNKNOWN"
	Healthy   = "HEALTHY"
	Unhealthy = "UNHEALTHY"
)

// findPlaces finds the places of all services' tasks.
func (a *Account) findPlaces(n *vpc.Network) {
	for _, service := range n.Of(state.ECSService) {
		definition := n.TaskDefinition(service.Text("taskDefinition"))
		if definition == nil {
			continue
		}
		own := 0
		for _, i := range n.Find(vpc.Node) {
			p := &Place{
				Name: i.Name, Zone: n.Zone(i), Address: i.Address, Service: service, Definition: definition,
				Role: a.One(state.Role, definition.Text("taskRoleArn"), "arn", "name"), Tags: a.tagsOf(service, definition),
			}
			switch {
			case i.Of == service:
			case i.Of.Type == state.AutoScalingGroup && definition.Text("networkMode") == "host" && own < vpc.Places(service):
				p.Host = a.At(i.Address)
			default:
				continue
			}
			own++
			a.Places = append(a.Places, p)
		}
	}
}

// tagsOf returns the tags of a service's tasks.
func (a *Account) tagsOf(service, definition *state.Resource) map[string]string {
	tags := map[string]string{}
	switch service.Text("propagateTags") {
	case "SERVICE":
		maps.Copy(tags, service.Tags())
	case "TASK_DEFINITION":
		maps.Copy(tags, definition.Tags())
	}
	if service.Flag("enableEcsManagedTags", false) {
		tags["aws:ecs:clusterName"], tags["aws:ecs:serviceName"] = path.Base(service.Text("cluster")), service.Text("name")
	}
	return tags
}

// Run starts a new task at a place.
func (a *Account) Run(p *Place) {
	if p.Host != nil {
		a.Launch(p.Host)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p.running = &task{id: random(16), health: Unknown, created: time.Now().UTC()}
}

// End says that the task at a place has stopped.
func (a *Account) End(p *Place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.running = nil
}

// Report sets the health of the task at a place.
func (a *Account) Report(p *Place, health string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.running != nil {
		p.running.health = health
	}
}

// Health returns the health of the task at a place, or nothing if none runs.
func (a *Account) Health(p *Place) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.running == nil {
		return ""
	}
	return p.running.health
}

// Environment returns the variables that ECS adds to the containers of the task at a place.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
func (a *Account) Environment(p *Place) map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	base, execution := "http://"+vpc.TaskAddress, "AWS_ECS_FARGATE"
	if p.Host != nil {
		execution = "AWS_ECS_EC2"
	}
	all := map[string]string{
		"AWS_EXECUTION_ENV": execution, "ECS_CONTAINER_METADATA_URI": base + "/v3/" + p.running.id, "ECS_CONTAINER_METADATA_URI_V4": base + "/v4/" + p.running.id,
		"AWS_REGION": a.Region,
	}
	if p.Role != nil {
		all["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/" + p.running.id
	}
	return all
}

func (p *Place) arn() string {
	return strings.Replace(p.Service.Text("cluster"), ":cluster/", ":task/", 1) + "/" + p.running.id
}

// TaskMetadata answers tasks at their own address. The address from which a request comes decides whose it is.
func (a *Account) TaskMetadata() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		a.mu.Lock()
		i := slices.IndexFunc(a.Places, func(p *Place) bool { return p.Address == from.Addr() && p.running != nil })
		if err != nil || i < 0 || !strings.Contains(r.URL.Path, "/"+a.Places[i].running.id) {
			a.mu.Unlock()
			http.NotFound(w, r)
			return
		}
		p := a.Places[i]
		id, own, whole := p.running.id, p.container(), p.metadata()
		a.mu.Unlock()
		switch r.URL.Path {
		case "/v2/credentials/" + id:
			a.taskCredentials(w, p)
		case "/v3/" + id, "/v4/" + id:
			_, _ = w.Write([]byte(text(own)))
		case "/v3/" + id + "/task", "/v4/" + id + "/task":
			_, _ = w.Write([]byte(text(whole)))
		default:
			http.NotFound(w, r)
		}
	})
}

// container is the metadata of a container of the task.
func (p *Place) container() map[string]any {
	network := map[string]any{"NetworkMode": "awsvpc", "IPv4Addresses": []string{p.Address.String()}}
	if p.Host != nil {
		network = map[string]any{"NetworkMode": "host", "IPv4Addresses": []string{""}}
	}
	return map[string]any{"DockerId": p.running.id, "KnownStatus": "RUNNING", "Networks": []any{network}}
}

// metadata is the metadata of the task.
func (p *Place) metadata() map[string]any {
	return map[string]any{
		"Cluster": p.Service.Text("cluster"), "TaskARN": p.arn(), "Family": p.Definition.Text("family"), "Revision": fmt.Sprint(state.Number(p.Definition.At("revision"), 1)),
		"ServiceName": p.Service.Text("name"), "DesiredStatus": "RUNNING", "KnownStatus": "RUNNING", "AvailabilityZone": p.Zone,
		"Containers": []any{p.container()},
	}
}

// taskCredentials gives out the task role's credentials.
func (a *Account) taskCredentials(w http.ResponseWriter, p *Place) {
	// Amazon ECS Developer Guide, "Amazon ECS task IAM role": the trust policy may have these conditions.
	cluster := p.Service.Text("cluster")
	source := iam.Context{"aws:SourceAccount": {strings.Split(cluster+":::::", ":")[4]}, "aws:SourceArn": {strings.Replace(cluster, ":cluster/", ":task/", 1)}}
	if p.Role == nil || !a.trusts(p.Role, "ecs-tasks.amazonaws.com", source) {
		http.Error(w, text(map[string]string{"code": "AssumeRoleUnauthorizedAccess", "message": "ECS cannot assume the task role"}), http.StatusBadRequest)
		return
	}
	c := a.issue(p.Role)
	_, _ = w.Write([]byte(text(map[string]string{
		"RoleArn": p.Role.Text("arn"), "AccessKeyId": c.key, "SecretAccessKey": c.secret, "Token": c.token, "Expiration": c.expires.Format(time.RFC3339),
	})))
}

// Pull reports why ECS cannot read the secrets of a task's container, which it does with the execution role before the container starts.
// A source may name a property of the secret, and a version.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
func (a *Account) Pull(p *Place, sources []string) error {
	role := a.One(state.Role, p.Definition.Text("executionRoleArn"), "arn", "name")
	for _, source := range sources {
		if role == nil {
			return fmt.Errorf("ResourceInitializationError: %s has no execution role, and a container of it has secrets", p.Definition)
		}
		parts := strings.SplitN(source, ":", 8)
		if _, failed := a.reads(role, strings.Join(parts[:min(7, len(parts))], ":"), nil); failed != nil {
			return fmt.Errorf("ResourceInitializationError: unable to pull secrets: %s", failed.message)
		}
	}
	return nil
}

// ecsRequest has the parameters of both calls.
type ecsRequest struct {
	Cluster       string   `json:"cluster"`
	ServiceName   string   `json:"serviceName"`
	Family        string   `json:"family"`
	DesiredStatus string   `json:"desiredStatus"`
	Tasks         []string `json:"tasks"`
	Include       []string `json:"include"`
}

// callECS answers a call of ECS, whose API is one of JSON. The header X-Amz-Target names the action.
func (a *Account) callECS(target string, body []byte, role, endpoint *state.Resource) ([]byte, *refusal) {
	_, action, _ := strings.Cut(target, ".")
	var in ecsRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	cluster := a.One(state.ECSCluster, in.Cluster, "arn", "name")
	if cluster == nil {
		return nil, refuse(http.StatusBadRequest, "ClusterNotFoundException", "Cluster not found.")
	}
	arn := cluster.Text("arn")
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
	on := map[string][]string{"ListTasks": {strings.Replace(arn, ":cluster/", ":container-instance/", 1) + "/*"}, "DescribeTasks": in.Tasks}[action]
	if action != "ListTasks" && action != "DescribeTasks" {
		return nil, refuse(http.StatusBadRequest, "UnknownOperationException", "the API here does not know %s", action)
	}
	for _, one := range on {
		if !strings.HasPrefix(one, "arn:") {
			one = strings.Replace(arn, ":cluster/", ":task/", 1) + "/" + one
		}
		if failed := a.may(role, "ecs:"+action, one, endpoint, iam.Context{"ecs:cluster": {arn}}); failed != nil {
			failed.status, failed.code = http.StatusBadRequest, "AccessDeniedException"
			return nil, failed
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if action == "ListTasks" {
		return a.listTasks(cluster, in)
	}
	return a.describeTasks(cluster, in)
}

// tasksOf are the places with a running task in an ECS cluster.
func (a *Account) tasksOf(cluster *state.Resource) []*Place {
	return slices.DeleteFunc(slices.Clone(a.Places), func(p *Place) bool {
		at := p.Service.Text("cluster")
		return p.running == nil || at != cluster.Text("arn") && at != cluster.Text("name")
	})
}

func (a *Account) listTasks(cluster *state.Resource, in ecsRequest) ([]byte, *refusal) {
	if in.ServiceName != "" && !slices.ContainsFunc(a.Of(state.ECSService), func(r *state.Resource) bool { return r.Text("name") == path.Base(in.ServiceName) }) {
		return nil, refuse(http.StatusBadRequest, "ServiceNotFoundException", "Service not found.")
	}
	arns := []string{}
	for _, p := range a.tasksOf(cluster) {
		if in.ServiceName != "" && p.Service.Text("name") != path.Base(in.ServiceName) || in.Family != "" && p.Definition.Text("family") != in.Family ||
			in.DesiredStatus == "STOPPED" {
			continue
		}
		arns = append(arns, p.arn())
	}
	return []byte(text(map[string]any{"taskArns": arns})), nil
}

func (a *Account) describeTasks(cluster *state.Resource, in ecsRequest) ([]byte, *refusal) {
	found, missing := []any{}, []any{}
	for _, asked := range in.Tasks {
		places := a.tasksOf(cluster)
		i := slices.IndexFunc(places, func(p *Place) bool { return p.running.id == path.Base(asked) })
		if i < 0 {
			missing = append(missing, map[string]any{"arn": asked, "reason": "MISSING"})
			continue
		}
		found = append(found, places[i].describe(slices.Contains(in.Include, "TAGS")))
	}
	return []byte(text(map[string]any{"tasks": found, "failures": missing})), nil
}

// describe is a task as DescribeTasks shows it. A task on its instance's network has no address there.
func (p *Place) describe(tags bool) map[string]any {
	interfaces := []any{}
	if p.Host == nil {
		interfaces = append(interfaces, map[string]any{"privateIpv4Address": p.Address.String()})
	}
	one := map[string]any{
		"taskArn": p.arn(), "clusterArn": p.Service.Text("cluster"), "taskDefinitionArn": p.Definition.Text("arn"), "availabilityZone": p.Zone,
		"createdAt": float64(p.running.created.UnixMilli()) / 1000, "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "healthStatus": p.running.health,
		"group": "service:" + p.Service.Text("name"), "containers": []any{map[string]any{"name": "server", "networkInterfaces": interfaces}},
	}
	if tags {
		list := []any{}
		for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
			list = append(list, map[string]string{"key": key, "value": p.Tags[key]})
		}
		one["tags"] = list
	}
	return one
}
