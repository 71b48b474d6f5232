package cloud

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// containers returns a task definition's containers in the type of the service's SDK, or nil if they are not known yet.
func containers(in Object) ([]types.ContainerDefinition, error) {
	raw, ok := in["containerDefinitions"].(string)
	if !ok {
		return nil, nil
	}
	var list []types.ContainerDefinition
	if err := strict([]byte(raw), &list); err != nil {
		return nil, fail("ClientException", "containerDefinitions cannot be read: %v", err)
	}
	return list, nil
}

func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// imageName matches an image with or without its registry, with a tag, a digest, both or neither.
var imageName = regexp.MustCompile(`^(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?` +
	`(?:@sha256:[0-9a-f]{64})?$`)

const (
	// definitionLimit is the size of a task definition in bytes.
	definitionLimit = 64 << 10
	// stopLimit is the longest stop timeout in seconds.
	stopLimit = 120
	// leastMemory is the memory in MiB that Docker needs for a container.
	leastMemory = 6
)

// containersFit refuses containers that the service would not register or could never start.
func containersFit(c *Call) error {
	list, err := containers(c.In)
	if err != nil || list == nil {
		return err
	}
	t := task{Call: c, mode: c.text("networkMode"), volumes: texts(c.In, "volumes[].name"),
		fargate: slices.Contains(texts(c.In, "requiresCompatibilities[]"), fargate), ports: map[string]string{}}
	if n := len(c.text("containerDefinitions")); n > definitionLimit {
		t.bad("containerDefinitions have %d bytes; a task definition is limited to %d", n, definitionLimit)
	}
	essential := false
	for _, d := range list {
		if slices.ContainsFunc(t.names, func(name string) bool { return name == value(d.Name) }) {
			t.bad("the container %s is there twice", value(d.Name))
		}
		t.names = append(t.names, value(d.Name))
		essential = essential || d.Essential == nil || *d.Essential
	}
	if !essential {
		t.bad("no container is essential")
	}
	for _, d := range list {
		t.container(d, list)
	}
	t.order(list)
	return errors.Join(t.wrong...)
}

// task collects the mistakes in a task definition.
type task struct {
	*Call
	mode           string
	fargate        bool
	names, volumes []string
	ports          map[string]string
	wrong          []error
}

func (t *task) bad(format string, args ...any) {
	t.wrong = append(t.wrong, fail("ClientException", format, args...))
}

func (t *task) container(d types.ContainerDefinition, list []types.ContainerDefinition) {
	name := value(d.Name)
	if !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`).MatchString(name) {
		t.bad("the container's name %q has other characters than %s", name, ecsWant)
	}
	if !imageName.MatchString(value(d.Image)) {
		t.bad("%s: %q is no image", name, value(d.Image))
	}
	t.limits(name, d)
	for _, p := range d.PortMappings {
		t.port(name, p)
	}
	t.mounts(name, d)
	t.network(name, d)
	t.environment(name, d)
	t.ulimits(name, d)
	if t.fargate && (value(d.Privileged) || d.LinuxParameters != nil && len(d.LinuxParameters.Devices) > 0) {
		t.bad("%s: Fargate runs no privileged containers and has no devices", name)
	}
	if c := d.LinuxParameters; t.fargate && c != nil && c.Capabilities != nil && slices.ContainsFunc(c.Capabilities.Add, func(add string) bool {
		return add != "SYS_PTRACE" // API_KernelCapabilities
	}) {
		t.bad("%s: Fargate lets a container add no capability but SYS_PTRACE", name)
	}
	t.health(name, d.HealthCheck)
	t.log(name, d.LogConfiguration)
	t.dependencies(name, d, list)
}

// limits checks a container's memory, and its time-outs for start and stop.
func (t *task) limits(name string, d types.ContainerDefinition) {
	if d.Memory == nil && d.MemoryReservation == nil && t.In["memory"] == nil {
		t.bad("%s: neither the container nor the task sets its memory", name)
	}
	for _, memory := range []*int32{d.Memory, d.MemoryReservation} {
		if memory != nil && *memory < leastMemory {
			t.bad("%s: %d MiB of memory are less than %d", name, *memory, leastMemory)
		}
	}
	if d.Memory != nil && d.MemoryReservation != nil && *d.Memory <= *d.MemoryReservation {
		t.bad("%s: memory must be more than memoryReservation", name)
	}
	if stop := value(d.StopTimeout); stop > stopLimit {
		t.bad("%s: stopTimeout is %d; at most %d seconds are possible", name, stop, stopLimit)
	}
	if start := value(d.StartTimeout); start > stopLimit && t.fargate {
		t.bad("%s: startTimeout is %d; at most %d seconds are possible", name, start, stopLimit)
	}
}

// mounts checks the mount points of a container's volumes.
func (t *task) mounts(name string, d types.ContainerDefinition) {
	for _, m := range d.MountPoints {
		if !slices.Contains(t.volumes, value(m.SourceVolume)) {
			t.bad("%s: mounts %s, which is none of the task's volumes", name, value(m.SourceVolume))
		}
		if !path.IsAbs(value(m.ContainerPath)) {
			t.bad("%s: containerPath is %q, no absolute path", name, value(m.ContainerPath))
		}
	}
}

// network refuses settings that the task's network mode does not have.
func (t *task) network(name string, d types.ContainerDefinition) {
	if t.mode == "awsvpc" && len(d.ExtraHosts) > 0 {
		t.bad("%s: extraHosts are not supported when networkMode is awsvpc", name)
	}
	if (t.mode == "awsvpc" || t.mode == "host") && (value(d.Hostname) != "" && t.mode == "awsvpc" || len(d.Links) > 0) {
		t.bad("%s: links and hostname are not supported when networkMode is %s", name, t.mode)
	}
	for _, s := range d.SystemControls {
		if t.mode == "host" && strings.HasPrefix(value(s.Namespace), "net.") { // API_SystemControl
			t.bad("%s: the systemControl %s is not supported when networkMode is host", name, value(s.Namespace))
		}
	}
}

// ulimits checks a container's limits of the operating system.
func (t *task) ulimits(name string, d types.ContainerDefinition) {
	for _, u := range d.Ulimits {
		if !slices.Contains(u.Name.Values(), u.Name) {
			t.bad("%s: there is no ulimit %s", name, u.Name)
		}
		if u.SoftLimit > u.HardLimit {
			t.bad("%s: the soft limit of %s is above the hard one", name, u.Name)
		}
		if t.fargate && u.Name != types.UlimitNameNofile {
			t.bad("%s: Fargate lets a task set no ulimit but nofile", name)
		}
	}
}

// dependencies checks the containers for which a container waits.
func (t *task) dependencies(name string, d types.ContainerDefinition, list []types.ContainerDefinition) {
	for _, on := range d.DependsOn {
		at := slices.IndexFunc(list, func(o types.ContainerDefinition) bool { return value(o.Name) == value(on.ContainerName) })
		switch {
		case at < 0 || value(on.ContainerName) == name:
			t.bad("%s: depends on %s, which is no other container of the task", name, value(on.ContainerName))
			continue
		case !slices.Contains(on.Condition.Values(), on.Condition):
			t.bad("%s: there is no condition %s", name, on.Condition)
		case on.Condition == types.ContainerConditionHealthy && list[at].HealthCheck == nil:
			t.bad("%s: waits for %s to be healthy, which has no health check", name, value(on.ContainerName))
		}
		ends := on.Condition == types.ContainerConditionSuccess || on.Condition == types.ContainerConditionComplete
		if ends && (list[at].Essential == nil || *list[at].Essential) {
			t.bad("%s: waits for the end of %s, which is essential", name, value(on.ContainerName))
		}
	}
}

func (t *task) port(name string, p types.PortMapping) {
	inside, outside := value(p.ContainerPort), value(p.HostPort)
	if inside < 1 || inside > 65535 {
		t.bad("%s: %d is no port", name, inside)
	}
	if p.Protocol != "" && !slices.Contains(p.Protocol.Values(), p.Protocol) {
		t.bad("%s: the port %d has the protocol %s; there are tcp and udp", name, inside, p.Protocol)
	}
	if outside != 0 && outside != inside && (t.mode == "host" || t.mode == "awsvpc") {
		t.bad("%s: hostPort is %d and containerPort %d; they must be equal when networkMode is %s", name, outside, inside,
			t.mode)
	}
	key := fmt.Sprint(inside, " ", p.Protocol)
	if t.mode == "bridge" || t.mode == "" {
		if outside == 0 {
			return
		}
		key = fmt.Sprint(outside, " ", p.Protocol)
	}
	if other, taken := t.ports[key]; taken {
		t.bad("%s: the port %d is already mapped by %s", name, inside, other)
	}
	t.ports[key] = name
}

func (t *task) environment(name string, d types.ContainerDefinition) {
	seen := map[string]bool{}
	add := func(variable string) {
		if variable == "" || seen[variable] {
			t.bad("%s: the environment variable %q is there twice, or has no name", name, variable)
		}
		seen[variable] = true
	}
	for _, e := range d.Environment {
		add(value(e.Name))
	}
	for _, s := range d.Secrets {
		add(value(s.Name))
	}
	if len(d.Secrets) > 0 && t.text("executionRoleArn") == "" && !t.unknown("executionRoleArn") {
		t.bad("%s: secrets need an executionRoleArn", name)
	}
}

func (t *task) health(name string, h *types.HealthCheck) {
	if h == nil {
		return
	}
	if len(h.Command) == 0 || !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, h.Command[0]) {
		t.bad("%s: the health check's command begins with neither CMD nor CMD-SHELL", name)
	}
	for _, bound := range []struct {
		what      string
		value     *int32
		low, high int32
	}{
		{"interval", h.Interval, 5, 300}, {"timeout", h.Timeout, 2, 60}, {"retries", h.Retries, 1, 10},
		{"startPeriod", h.StartPeriod, 0, 300},
	} {
		if bound.value != nil && (*bound.value < bound.low || *bound.value > bound.high) {
			t.bad("%s: the health check's %s is %d; %d to %d are possible", name, bound.what, *bound.value, bound.low, bound.high)
		}
	}
}

// logOptions are the options of the driver awslogs.
var logOptions = []string{
	"awslogs-create-group", "awslogs-region", "awslogs-group", "awslogs-stream-prefix", "awslogs-datetime-format",
	"awslogs-multiline-pattern", "mode", "max-buffer-size", "awslogs-stream",
}

func (t *task) log(name string, l *types.LogConfiguration) {
	if l == nil {
		return
	}
	if !slices.Contains(l.LogDriver.Values(), l.LogDriver) {
		t.bad("%s: there is no log driver %s", name, l.LogDriver)
	}
	if t.fargate && !slices.Contains([]string{"awslogs", "splunk", "awsfirelens"}, string(l.LogDriver)) {
		t.bad("%s: Fargate has no log driver %s", name, l.LogDriver)
	}
	if l.LogDriver != types.LogDriverAwslogs {
		return
	}
	for option := range l.Options {
		if !slices.Contains(logOptions, option) {
			t.bad("%s: the driver awslogs has no option %s", name, option)
		}
	}
	for _, needed := range []string{"awslogs-group", "awslogs-region"} {
		if l.Options[needed] == "" {
			t.bad("%s: the driver awslogs needs %s", name, needed)
		}
	}
	if t.fargate && l.Options["awslogs-stream-prefix"] == "" {
		t.bad("%s: on Fargate the driver awslogs needs awslogs-stream-prefix", name)
	}
}

// order refuses containers that wait for each other.
func (t *task) order(list []types.ContainerDefinition) {
	done := map[string]bool{}
	for range list {
		for _, d := range list {
			if !slices.ContainsFunc(d.DependsOn, func(on types.ContainerDependency) bool { return !done[value(on.ContainerName)] }) {
				done[value(d.Name)] = true
			}
		}
	}
	for _, d := range list {
		if !done[value(d.Name)] {
			t.bad("%s: waits for containers that wait for it", value(d.Name))
			return
		}
	}
}
