package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Task is the part of a node that only a task of ECS has.
type Task struct {
	Place *aws.Place
	// Turn is the container that says when the server may start, or nil. Members counts the members.
	Turn, Members *Container
	// Wait is the longest time for the turn.
	Wait   time.Duration
	Health Health
}

// Health is the health check of a container. Grace is the time in which failures do not count.
type Health struct {
	Command                  []string
	Interval, Timeout, Grace time.Duration
	Retries                  int
}

// definition is a container of a task definition.
type definition struct {
	Name                   string
	EntryPoint, Command    []string
	Environment            []struct{ Name, Value string }
	Secrets                []struct{ Name, ValueFrom string }
	ReadonlyRootFilesystem bool
	MountPoints            []struct {
		SourceVolume, ContainerPath string
		ReadOnly                    bool
	}
	DependsOn   []struct{ ContainerName, Condition string }
	HealthCheck *struct {
		Command                                 []string
		Interval, Timeout, Retries, StartPeriod int
	}
}

func definitions(task *state.Resource) (by map[string]*definition, all []*Container, err error) {
	var list []*definition
	if err := json.Unmarshal([]byte(task.Text("containerDefinitions")), &list); err != nil {
		return nil, nil, fmt.Errorf("reading the containers of %s: %w", task, err)
	}
	by = map[string]*definition{}
	for _, d := range list {
		by[d.Name] = d
		all = append(all, d.container())
	}
	return by, all, nil
}

// The product's directory in its image, and the volume from which the image's entrypoint copies files over it, as
// github.com/wso2/docker-is has them.
const imageHome, configVolume = "/home/wso2carbon/wso2is-", "/home/wso2carbon/wso2-config-volume/"

// hazelcasts are the releases of Hazelcast in the product's kernels, by the start of the product's release. A task definition
// does not say it. github.com/wso2/carbon-kernel, parent/pom.xml, hazelcast.version of 4.6.1, 4.7.1, 4.9.0 and 4.10.9.
var hazelcasts = []struct{ product, hazelcast string }{{"5.", "3.12.2"}, {"6.0", "4.2.5"}, {"6.1", "4.2.6"}, {"", "5.3.6"}}

func hazelcastOf(version string) string {
	for _, one := range hazelcasts {
		if strings.HasPrefix(version, one.product) {
			return one.hazelcast
		}
	}
	return ""
}

// task reads the task that runs at an interface.
func (p *Plan) task(s *state.State, i *vpc.Interface, place *aws.Place) (*Node, error) {
	all, containers, err := definitions(place.Definition)
	if err != nil {
		return nil, err
	}
	prepare, server, turn, members := all["prepare"], all["server"], all["turn"], all["members"]
	if prepare == nil || server == nil || members == nil || server.HealthCheck == nil {
		return nil, fmt.Errorf("%s has not the containers prepare, server and members, with a health check of the server", place.Definition)
	}
	environment := server.container().Environment
	n := &Node{
		Name: i.Name, Instance: place.Host, Device: i.Device, Address: i.Address,
		Task:       &Task{Place: place, Members: members.container()},
		Containers: containers, Volumes: taskVolumes(place.Definition),
		Secrets: map[string]string{"NODE_IP": i.Address.String()}, Members: 1,
	}
	if turn != nil {
		n.Task.Turn = turn.container()
		seconds, _ := strconv.Atoi(environment["WSO2IS_TURN_SECONDS"])
		n.Task.Wait = time.Duration(seconds) * time.Second
	}
	check := server.HealthCheck
	n.Task.Health = Health{
		Command: check.Command, Interval: time.Duration(check.Interval) * time.Second, Timeout: time.Duration(check.Timeout) * time.Second,
		Retries: check.Retries, Grace: time.Duration(check.StartPeriod) * time.Second,
	}
	grace, _ := place.Service.Int("healthCheckGracePeriodSeconds")
	n.Ready = time.Duration(grace) * time.Second
	for _, one := range server.Secrets {
		n.Secrets[one.Name] = aws.Secret(one.ValueFrom)
	}
	// The server's program makes it from the other one.
	sum := sha256.Sum256([]byte(n.Secrets["WSO2_ENDPOINT_PASSWORD"]))
	n.Secrets["WSO2_ENDPOINT_PASSWORD_HASH"] = hex.EncodeToString(sum[:])
	p.Hostname = environment["WSO2IS_NAME"]
	home := "wso2is-" + p.Version
	if n.Files, err = fetched(s, prepare, home); err != nil {
		return nil, err
	}
	n.Config = home + "/repository/conf/deployment.toml"
	if n.Files[n.Config] == "" {
		return nil, fmt.Errorf("%s fetches no deployment.toml: its image has one, which is not in the state", place.Definition)
	}
	return n, nil
}

// fetched are the files of the state that a container fetches, below /opt/wso2is. Files from elsewhere are not in the state.
func fetched(s *state.State, prepare *definition, home string) (map[string]string, error) {
	files := map[string]string{}
	for line := range strings.SplitSeq(prepare.container().Environment["WSO2IS_FILES"], "\n") {
		parts := strings.Split(line, "|")
		if len(parts) != 3 {
			return nil, fmt.Errorf("the container prepare has a line that is no file: %q", line)
		}
		bucket, key, _ := strings.Cut(strings.TrimPrefix(parts[0], "s3://"), "/")
		for _, o := range s.With(state.BucketObject, "key", key) {
			if o.Text("bucket") != bucket {
				continue
			}
			files[placed(parts[2], home)] = o.Text("content")
		}
	}
	return files, nil
}

// schemaTask reads the task definition whose container makes the schema.
func schemaTask(s *state.State, d *Database) error {
	for _, t := range s.Of(state.TaskDefinition) {
		all, _, err := definitions(t)
		if err != nil {
			return err
		}
		prepare, schema := all["prepare"], all["schema"]
		if prepare == nil || schema == nil {
			continue
		}
		files, err := fetched(s, prepare, "")
		if err != nil {
			return err
		}
		d.Properties, d.Program, d.Password = prepare.container().Environment["WSO2IS_SCHEMA"], files["lib/SchemaBootstrap.java"], aws.Secret(d.Name)
		for _, one := range schema.Secrets {
			switch {
			case strings.HasSuffix(one.ValueFrom, ":username::"):
				d.Environment[one.Name] = d.Master
			case strings.HasSuffix(one.ValueFrom, ":password::"):
				d.Environment[one.Name] = d.Password
			default:
				d.Environment[one.Name] = aws.Secret(one.ValueFrom)
			}
		}
	}
	return nil
}

// versionOf returns the product's release of the schema's properties.
func versionOf(properties string) string {
	for line := range strings.SplitSeq(properties, "\n") {
		if version, ok := strings.CutPrefix(line, "version="); ok {
			return version
		}
	}
	return ""
}
