package plan

import (
	"cmp"
	"path"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Container is a container's program, and what the state gives it.
type Container struct {
	Name    string
	Program []string
	// Environment has its variables, and Secrets the values of those that are secret.
	Environment, Secrets map[string]string
	Mounts               []Mount
	// Closed says that its root file system is read-only.
	Closed bool
	// Sources are where ECS reads its secrets from.
	Sources []string
	// After are the containers that must have ended well before it starts.
	After []string
}

// Mount is a volume in a container: the whole volume, or Sub of it.
type Mount struct {
	Volume, Path, Sub string
	ReadOnly          bool
}

// Volume is a volume of a task or a pod.
type Volume struct {
	Name string
	// Lasting says that all nodes share it. Host is the path of a file or a directory of the host, or empty.
	Lasting bool
	Host    string
	// Files are those of a ConfigMap, by their path. Lacks is the name of a ConfigMap that the state does not have.
	Files map[string]string
	Lacks string
}

// Container returns the container of a node with a name, or nil.
func (n *Node) Container(name string) *Container {
	i := slices.IndexFunc(n.Containers, func(c *Container) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return n.Containers[i]
}

func (d *definition) container() *Container {
	c := &Container{
		Name: d.Name, Program: slices.Concat(d.EntryPoint, d.Command), Environment: map[string]string{}, Secrets: map[string]string{},
		Closed: d.ReadonlyRootFilesystem,
	}
	for _, v := range d.Environment {
		c.Environment[v.Name] = v.Value
	}
	for _, v := range d.Secrets {
		c.Secrets[v.Name] = aws.Secret(v.ValueFrom)
		c.Sources = append(c.Sources, v.ValueFrom)
	}
	for _, m := range d.MountPoints {
		c.Mounts = append(c.Mounts, Mount{Volume: m.SourceVolume, Path: m.ContainerPath, ReadOnly: m.ReadOnly})
	}
	for _, one := range d.DependsOn {
		if one.Condition == "SUCCESS" {
			c.After = append(c.After, one.ContainerName)
		}
	}
	return c
}

// taskVolumes are the volumes of a task definition.
func taskVolumes(task *state.Resource) []Volume {
	var all []Volume
	for _, v := range task.Objects("volumes") {
		all = append(all, Volume{Name: v.Text("name"), Host: v.Text("hostPath"), Lasting: v.Object("efsVolumeConfiguration") != nil})
	}
	return all
}

// containersOf reads the containers of a pod's template. Init containers run one after the other; one that is always restarted runs
// beside the others.
func (p *Plan) containersOf(s *state.State, namespace string, deployment *state.Resource) ([]*Container, error) {
	spec := deployment.Object("spec").Object("template").Object("spec")
	var all []*Container
	var before []string
	read := func(o state.Object) error {
		c := &Container{
			Name: o.Text("name"), Program: slices.Concat(o.Texts("command"), o.Texts("args")), After: slices.Clone(before),
			Closed: o.Object("securityContext").Flag("readOnlyRootFilesystem", false),
		}
		for _, m := range o.Objects("volumeMounts") {
			c.Mounts = append(c.Mounts, Mount{Volume: m.Text("name"), Path: m.Text("mountPath"), Sub: m.Text("subPath"), ReadOnly: m.Flag("readOnly", false)})
		}
		var err error
		c.Environment, c.Secrets, err = p.variables(s, namespace, o)
		all = append(all, c)
		return err
	}
	for _, o := range spec.Objects("initContainers") {
		if err := read(o); err != nil {
			return nil, err
		}
		if o.Text("restartPolicy") != "Always" {
			before = append(before, o.Text("name"))
		}
	}
	for _, o := range spec.Objects("containers") {
		if err := read(o); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// podVolumes are the volumes of a pod's template.
func podVolumes(s *state.State, namespace string, deployment *state.Resource) []Volume {
	var all []Volume
	for _, v := range deployment.Object("spec").Object("template").Object("spec").Objects("volumes") {
		one := Volume{Name: v.Text("name"), Lasting: v.Object("persistentVolumeClaim") != nil}
		if source := v.Object("configMap"); source != nil {
			one.Files = map[string]string{}
			found := of(s, state.ConfigMap, namespace, source.Text("name"))
			if found == nil {
				one.Lacks = source.Text("name")
				all = append(all, one)
				continue
			}
			data := found.Object("data")
			for _, item := range source.Objects("items") {
				one.Files[path.Clean(cmp.Or(item.Text("path"), item.Text("key")))] = data.Text(item.Text("key"))
			}
			if len(source.Objects("items")) == 0 {
				for key := range data {
					one.Files[key] = data.Text(key)
				}
			}
		}
		all = append(all, one)
	}
	return all
}
