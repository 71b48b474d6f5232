package cloud

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// fargatePairs has Fargate's memory sizes in MiB for each number of CPU units: from, to, and step.
var fargatePairs = map[string][3]int{
	"512": {1024, 4096, 1024}, "1024": {2048, 8192, 1024}, "2048": {4096, 16384, 1024}, "4096": {8192, 30720, 1024},
	"8192": {16384, 61440, 4096}, "16384": {32768, 122880, 8192},
}

// taskSizes refuses sizes that Fargate does not have, network modes that it does not support, and containers larger
// than their task.
func taskSizes(c *Call) error {
	list, err := containers(c.In)
	if err != nil || c.unknown("cpu", "memory", "networkMode", "requiresCompatibilities") {
		return nil // reported elsewhere, or not known yet
	}
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fail("ClientException", format, args...)) }
	cpu, memory := c.text("cpu"), c.text("memory")
	if slices.Contains(texts(c.In, "requiresCompatibilities[]"), fargate) {
		var mib int
		_, scanned := fmt.Sscan(memory, &mib)
		pair, known := fargatePairs[cpu]
		small := cpu == "256" && slices.Contains([]string{"512", "1024", "2048"}, memory)
		if !small && (!known || scanned != nil || mib < pair[0] || mib > pair[1] || mib%pair[2] != 0) {
			bad("no Fargate configuration exists for cpu %q and memory %q", cpu, memory)
		}
		if mode := c.text("networkMode"); mode != "awsvpc" {
			bad("networkMode is %q; Fargate only supports awsvpc", mode)
		}
		if c.text("executionRoleArn") == "" && !c.unknown("executionRoleArn") {
			bad("Fargate requires the task definition to have an execution role for its images and logs")
		}
	}
	var cpus, memories int32
	for _, d := range list {
		cpus += d.Cpu
		if d.MemoryReservation != nil {
			memories += *d.MemoryReservation
		} else {
			memories += value(d.Memory)
		}
	}
	for _, sum := range []struct {
		what, of string
		all      int32
	}{{"CPU units", cpu, cpus}, {"MiB of memory", memory, memories}} {
		var most int32
		if _, err := fmt.Sscan(sum.of, &most); err == nil && sum.all > most {
			bad("the containers have %d %s together and the task only %d", sum.all, sum.what, most)
		}
	}
	return errors.Join(wrong...)
}

// sharedVolumes refuses EFS volumes with an access point or a role that would be ignored, and host paths on Fargate,
// which has no host (API_HostVolumeProperties).
func sharedVolumes(c *Call) error {
	var wrong []error
	names := map[string]bool{}
	for _, v := range objects(c.In, "volumes[]") {
		name := text(v, "name")
		if names[name] {
			wrong = append(wrong, fail("ClientException", "the volume %s is there twice", name))
		}
		names[name] = true
		if text(v, "hostPath") != "" && slices.Contains(texts(c.In, "requiresCompatibilities[]"), fargate) {
			wrong = append(wrong, fail("ClientException", "the volume %s: Fargate supports no sourcePath of a host", name))
		}
		efs := objectAt(v, "efsVolumeConfiguration")
		if efs == nil {
			continue
		}
		authorized := objectAt(efs, "authorizationConfig")
		encrypted := text(efs, "transitEncryption") == "ENABLED"
		if authorized != nil && !encrypted {
			wrong = append(wrong, fail("ClientException", "the volume %s: an access point or IAM needs transitEncryption", name))
		}
		if root := text(efs, "rootDirectory"); authorized["accessPointId"] != nil && root != "" && root != "/" {
			wrong = append(wrong, fail("ClientException",
				"the volume %s: rootDirectory must be left out, or be /, beside an access point", name))
		}
	}
	return errors.Join(wrong...)
}

func accessPointsFit(c *Call) error {
	for _, v := range objects(c.In, "volumes[]") {
		point := c.Cloud.find(text(v, "efsVolumeConfiguration.authorizationConfig.accessPointId"), "id", state.AccessPoint)
		in := text(v, "efsVolumeConfiguration.fileSystemId")
		if point != nil && in != "" && text(point.Outputs, "fileSystemId") != in {
			return fail("ClientException", "the volume %s: %s is not one of %s", text(v, "name"), point.describe(), in)
		}
	}
	return nil
}

// secretsCanBeRead refuses secrets that do not exist, and those that the execution role may not read: the service would
// register the task, and never start it.
func secretsCanBeRead(c *Call) error {
	list, err := containers(c.In)
	if err != nil || c.Preview {
		return nil
	}
	var wrong []error
	role := c.Cloud.find(c.text("executionRoleArn"), "arn", state.Role)
	for _, d := range list {
		for _, s := range d.Secrets {
			from := value(s.ValueFrom)
			parts := strings.Split(from, ":")
			if len(parts) < 7 || parts[2] != "secretsmanager" {
				wrong = append(wrong, fail("ClientException", "%s: %s is %q, no ARN of a secret", value(d.Name), value(s.Name), from))
				continue
			}
			if len(parts) != 7 && len(parts) != 10 {
				wrong = append(wrong, fail("ClientException",
					"%s: %s is %q; after the ARN come the property, the label and the version, each after a colon",
					value(d.Name), value(s.Name), from))
			}
			arn := strings.Join(parts[:7], ":")
			if c.Cloud.find(arn, "arn", state.Secret) == nil && !c.Cloud.masterSecret(arn) {
				wrong = append(wrong, fail("ResourceInitializationError", "%s: %s is %s, and there is no such secret",
					value(d.Name), value(s.Name), arn))
			} else if role != nil && !c.Cloud.may(role, "secretsmanager:GetSecretValue", arn) {
				wrong = append(wrong, fail("ResourceInitializationError", "%s: %s may not read %s", value(d.Name),
					role.describe(), arn))
			}
		}
	}
	return errors.Join(wrong...)
}

// masterSecret reports whether the ARN belongs to a password that RDS manages.
func (c *Cloud) masterSecret(arn string) bool {
	return slices.ContainsFunc(c.databases(), func(r *Resource) bool {
		return slices.Contains(texts(r.Outputs, "masterUserSecrets[].secretArn"), arn)
	})
}

// logGroupsExist refuses missing log groups, and a role that may not write to them.
func logGroupsExist(c *Call) error {
	list, err := containers(c.In)
	if err != nil || c.Preview {
		return nil
	}
	role := c.Cloud.find(c.text("executionRoleArn"), "arn", state.Role)
	var wrong []error
	for _, d := range list {
		if d.LogConfiguration == nil || d.LogConfiguration.LogDriver != types.LogDriverAwslogs {
			continue
		}
		o := d.LogConfiguration.Options
		group := c.Cloud.find(o["awslogs-group"], "name", state.LogGroup)
		switch {
		case o["awslogs-region"] != c.Cloud.region:
			wrong = append(wrong, fail("ResourceInitializationError", "%s: awslogs-region is %s, and the stack is in %s",
				value(d.Name), o["awslogs-region"], c.Cloud.region))
		case group == nil && o["awslogs-create-group"] != "true":
			wrong = append(wrong, fail("ResourceInitializationError", "%s: there is no log group %s", value(d.Name),
				o["awslogs-group"]))
		case group != nil && role != nil && !c.Cloud.may(role, "logs:PutLogEvents", fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:log-stream:x", c.Cloud.partition(),
			c.Cloud.region, c.Cloud.account, o["awslogs-group"])):
			wrong = append(wrong, fail("ResourceInitializationError", "%s: %s may not write to %s", value(d.Name),
				role.describe(), group.describe()))
		}
	}
	return errors.Join(wrong...)
}
