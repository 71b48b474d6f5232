package cloud

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// runAutomation does the work of an association's Automation document at the association's creation, as far as the
// cloud knows its calls. The provider waits for its success. After a failure, the association still exists.
func runAutomation(c *Call) {
	document := c.Cloud.find(c.text("name"), "name", state.SSMDocument)
	if c.Preview || c.Old != nil || document == nil {
		return
	}
	var d automation
	if err := json.Unmarshal([]byte(text(document.Inputs, "content")), &d); err != nil {
		return // a document of another format
	}
	for _, s := range d.MainSteps {
		script, _ := s.Inputs["Script"].(string)
		payload, _ := s.Inputs["InputPayload"].(map[string]any)
		told := func(name string) string {
			value, _ := payload[name].(string)
			return automationReference.ReplaceAllStringFunc(value, func(reference string) string {
				return text(objectAt(c.In, "parameters"), automationReference.FindStringSubmatch(reference)[1])
			})
		}
		var err error
		switch {
		case s.Inputs["Api"] == "RunInstances":
			err = c.Cloud.launchOnce(s.Inputs)
		case strings.Contains(script, "describe_services"):
			err = c.Cloud.deploymentResult(told("service"), told("task"))
		case strings.Contains(script, "start_instance_refresh") && told("template") != "":
			err = c.Cloud.refresh(told("group"), told("version"))
		case strings.Contains(script, "start_restore_job") && told("recoveryPoint") != "":
			err = c.Cloud.startRestore(told("recoveryPoint"), told("fileSystem"), told("restorer"))
		case strings.Contains(script, "start_restore_job") && told("function") != "":
			err = c.Cloud.moveRestored(told("function"))
		}
		if err != nil {
			if c.given([]string{"waitForSuccessTimeoutSeconds"}) == 1 {
				c.Failed = fmt.Errorf("waiting for SSM Association create: unexpected state 'Failed', wanted target 'Success': %w", err)
			}
			return
		}
	}
}

// launchOnce launches a temporary instance from a template for an automation. It returns the refusal of AWS or of the
// user data.
func (c *Cloud) launchOnce(inputs map[string]any) error {
	from, _ := inputs["LaunchTemplate"].(map[string]any)
	id, _ := from["LaunchTemplateId"].(string)
	t := c.find(id, "id", state.LaunchTemplate)
	if t == nil {
		return fail("InvalidLaunchTemplateId.NotFound", "there is no launch template %s", id)
	}
	subnet, _ := inputs["SubnetId"].(string)
	if c.find(subnet, "id", state.Subnet) == nil {
		return fail("InvalidSubnetID.NotFound", "there is no subnet %s", subnet)
	}
	raw, _ := base64.StdEncoding.DecodeString(text(t.Inputs, "userData"))
	if c.crashes != nil && c.crashes(string(raw)) {
		return fail("Failed", "the instance of %s failed: its user data failed", t.describe())
	}
	return c.filesExist("the instance of "+t.describe(), string(raw))
}

// deploymentResult returns the result of a service's deployment. The provider does not wait for it: a service is stable for it
// when the wanted number of tasks runs, also while they start and between crashes.
func (c *Cloud) deploymentResult(service, task string) error {
	s, definition := c.find(service, "name", state.ECSService), c.find(task, "arn", state.TaskDefinition)
	switch {
	case s == nil || definition == nil:
		return fail("ServiceNotFoundException", "there is no service %s, or no task definition %s", service, task)
	case text(s.Inputs, "taskDefinition") != task:
		return fail("Failed", "%s runs %s and not %s", s.describe(), text(s.Inputs, "taskDefinition"), task)
	case c.crashes != nil && c.crashes(containerText(definition)):
		return fail("Failed", "%s did not come up with %s: tasks failed to start", s.describe(), task)
	}
	return nil
}

// refresh replaces a group's instances with those of a version of its template. If the new instances never serve, the
// refresh is rolled back and the group keeps its version.
func (c *Cloud) refresh(name, version string) error {
	group := c.find(name, "name", state.AutoScalingGroup)
	if group == nil {
		return fail("ValidationError", "there is no Auto Scaling group %s", name)
	}
	call := &Call{Cloud: c, Type: table[state.AutoScalingGroup], Name: group.Name, URN: group.URN, ID: group.ID, In: clone(group.Inputs),
		Out: clone(group.Outputs)}
	t := call.template()
	if t == nil {
		return fail("ValidationError", "%s has no launch template", group.describe())
	}
	wanted, version := versionOf(t, version)
	raw, _ := base64.StdEncoding.DecodeString(text(wanted.Inputs, "userData"))
	switch now := text(group.Inputs, "launchTemplate.version"); {
	case strings.HasPrefix(text(wanted.Inputs, "imageId"), "resolve:"):
		return fail("ValidationError", "%s names a parameter for its image, which a refresh could not roll back to", t.describe())
	case strings.HasPrefix(now, "$"):
		return fail("ValidationError", "%s uses the version %s, which a refresh could not roll back to", group.describe(), now)
	case c.crashes != nil && c.crashes(string(raw)):
		return fail("Failed", "%s did not come up with version %s: RollbackSuccessful", group.describe(), version)
	}
	for _, properties := range []Object{call.In, call.Out} {
		if chosen := objectAt(properties, "launchTemplate"); chosen != nil {
			chosen["version"] = version
		}
	}
	next := *group
	next.Inputs, next.Outputs = call.In, call.Out
	if err := c.put(&next); err != nil {
		return err
	}
	want, _ := number(next.Outputs, "desiredCapacity")
	call.launchInstances(t, int(want), true)
	return nil
}
