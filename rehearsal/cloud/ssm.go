package cloud

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// ssmTypes are documents and associations of Systems Manager.
var ssmTypes = []Type{{
	Token: state.SSMAssociation, ID: "{uuid}", Name: "name", Tags: true,
	ARN:      "arn:{partition}:ssm:{region}:{account}:association/{id}",
	Required: []string{"name"},
	Defaults: Object{"applyOnlyAtCronInterval": false},
	Outputs:  Object{"associationId": "{id}", "documentVersion": "$DEFAULT"},
	Replace:  []string{"name", "instanceId"},
	Fields: []Field{
		between("waitForSuccessTimeoutSeconds", 15, 172800),
		like("associationName", `[a-zA-Z0-9_.-]+`, "letters, digits and _.-", 3, 128),
		oneOf("complianceSeverity", "CRITICAL", "HIGH", "MEDIUM", "LOW", "UNSPECIFIED"),
		like("maxConcurrency", `[1-9]\d*%?|100%`, "a number or a percentage"),
		like("maxErrors", `\d+%?`, "a number or a percentage"),
		like("name", `[a-zA-Z0-9_.:/-]+`, "the name of a document", 3, 200),
	},
	Unique: []Unique{{By: []string{"associationName"}, Code: "AssociationAlreadyExists"}},
	Refs: []Ref{
		ref("name", state.SSMDocument).by("name").code("InvalidDocument").or(func(_ *Call, name string) bool {
			return strings.HasPrefix(name, "AWS-")
		}),
		ref("instanceId", state.EC2Instance).free().code("InvalidInstanceId"),
		ref("targets[].values[]", state.EC2Instance).free().code("InvalidTarget").or(func(c *Call, _ string) bool {
			return !slices.Contains(texts(c.In, "targets[].key"), "InstanceIds")
		}),
		ref("outputLocation.s3BucketName", state.Bucket).free().code("InvalidOutputLocation"),
	},
	Rules: []Rule{parametersFit},
	After: runAutomation,
	Check: []Rule{func(c *Call) error {
		if name := c.text("name"); strings.HasPrefix(name, "AWS-") && !slices.Contains(documents, name) {
			return fail("InvalidDocument", "there is no document %s", name)
		}
		if c.text("name") == "AWS-RunShellScript" && c.given([]string{"parameters"}) == 0 {
			return fail("InvalidParameters", "AWS-RunShellScript needs the parameter commands")
		}
		return nil
	}},
}, {
	Token: state.SSMDocument, ID: "{name}", Name: "name", Tags: true, InUse: "AssociatedInstances",
	ARN:      "arn:{partition}:ssm:{region}:{account}:document/{name}",
	Required: []string{"content", "documentType"},
	Defaults: Object{"documentFormat": "JSON"},
	Outputs: Object{
		"defaultVersion": "1", "latestVersion": "1", "documentVersion": "1", "status": "Active", "owner": "{account}",
		"hashType": "Sha256", "createdDate": "2026-01-01T00:00:00Z",
	},
	Replace: []string{"name", "documentType"},
	Unique:  []Unique{{By: []string{"name"}, Code: "DocumentAlreadyExists"}},
	Fields: []Field{
		like("name", `[a-zA-Z0-9_.-]+`, "letters, digits and _.-", 3, 128),
		oneOf("documentType", "Automation", "Command", "Policy", "Session", "Package", "ChangeCalendar"),
		oneOf("documentFormat", "JSON", "YAML", "TEXT"), {Path: "content", Min: 1, Max: 65536},
	},
	Check: []Rule{func(c *Call) error {
		for _, kept := range []string{"aws", "amazon", "amzn"} {
			if strings.HasPrefix(strings.ToLower(c.text("name")), kept) {
				return fail("InvalidDocumentName", "name is %q; names that begin with %s are AWS's", c.text("name"), kept)
			}
		}
		return nil
	}, automationFits},
}, {
	// PutParameter in the API reference of Systems Manager. The provider creates without overwriting.
	Token: state.SSMParameter, ID: "{name}", Name: "name", Tags: true, ARN: "arn:{partition}:ssm:{region}:{account}:parameter{name}",
	Required: []string{"type"}, ExactlyOne: [][]string{{"value", "insecureValue"}}, Secret: []string{"value"},
	Defaults: Object{"dataType": "text", "tier": "Standard"}, Outputs: Object{"version": 1},
	Replace: []string{"name"},
	Unique:  []Unique{{By: []string{"name"}, Code: "ParameterAlreadyExists"}},
	Refs:    []Ref{ref("keyId", state.KMSKey).free().code("InvalidKeyId")},
	Fields: []Field{
		like("name", `/[a-zA-Z0-9_./-]+`, "a path of letters, digits and _.-", 2, 1011), oneOf("type", "String", "StringList", "SecureString"),
		between("insecureValue", 1, 4096), between("value", 1, 4096), between("description", 0, 1024),
	},
	Check: []Rule{func(c *Call) error {
		if secure := c.text("type") == "SecureString"; secure && c.text("insecureValue") != "" {
			return fail("InvalidParameter", "insecureValue cannot be of a SecureString")
		}
		if name := strings.ToLower(c.text("name")); strings.HasPrefix(name, "/aws") || strings.HasPrefix(name, "/ssm") {
			return fail("ValidationException", "name is %q; names that begin with aws or ssm are AWS's", c.text("name"))
		}
		return nil
	}},
}}

// documents are the known documents of AWS.
var documents = []string{
	"AWS-RunShellScript", "AWS-ConfigureAWSPackage", "AWS-GatherSoftwareInventory", "AWS-RunPatchBaseline",
	"AWS-UpdateSSMAgent", "AWS-RunRemoteScript",
}

// automation is a document of the type Automation.
type automation struct {
	SchemaVersion string                         `json:"schemaVersion"`
	Description   string                         `json:"description"`
	AssumeRole    string                         `json:"assumeRole"`
	Parameters    map[string]automationParameter `json:"parameters"`
	MainSteps     []automationStep               `json:"mainSteps"`
	Outputs       []string                       `json:"outputs"`
	Files         map[string]any                 `json:"files"`
	Variables     map[string]any                 `json:"variables"`
}

type automationParameter struct {
	Type           string   `json:"type"`
	Description    string   `json:"description"`
	Default        any      `json:"default"`
	AllowedValues  []string `json:"allowedValues"`
	AllowedPattern string   `json:"allowedPattern"`
}

type automationStep struct {
	Name           string         `json:"name"`
	Action         string         `json:"action"`
	Description    string         `json:"description"`
	TimeoutSeconds int            `json:"timeoutSeconds"`
	MaxAttempts    int            `json:"maxAttempts"`
	OnFailure      string         `json:"onFailure"`
	OnCancel       string         `json:"onCancel"`
	IsCritical     *bool          `json:"isCritical"`
	IsEnd          bool           `json:"isEnd"`
	NextStep       string         `json:"nextStep"`
	Inputs         map[string]any `json:"inputs"`
	Outputs        []struct{ Name, Selector, Type string }
}

// automationActions are the known actions, with the required inputs of each.
var automationActions = map[string][]string{
	"aws:executeAwsApi":              {"Service", "Api"},
	"aws:waitForAwsResourceProperty": {"Service", "Api", "PropertySelector", "DesiredValues"},
	"aws:assertAwsResourceProperty":  {"Service", "Api", "PropertySelector", "DesiredValues"},
	"aws:executeScript":              {"Runtime", "Handler", "Script"},
	"aws:runCommand":                 {"DocumentName"},
	"aws:sleep":                      {},
	"aws:executeStateMachine":        {"stateMachineArn"},
	"aws:changeInstanceState":        {"InstanceIds", "DesiredState"},
	"aws:approve":                    {"Approvers"},
	"aws:branch":                     {"Choices"},
	"aws:invokeLambdaFunction":       {"FunctionName"},
	"aws:executeAutomation":          {"DocumentName"},
}

var (
	automationReference = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_:.-]+)\s*\}\}`)
	scriptRuntimes      = []string{"python3.8", "python3.9", "python3.10", "python3.11", "PowerShell Core 6.0", "PowerShell 7.0"}
)

// automationFits refuses a runbook that Systems Manager could not read, or with steps that name something missing.
func automationFits(c *Call) error {
	raw, ok := c.In["content"].(string)
	if !ok || c.text("documentType") != "Automation" || c.text("documentFormat") != "JSON" {
		return nil
	}
	var d automation
	if err := strict([]byte(raw), &d); err != nil {
		return fail("InvalidDocumentContent", "content cannot be read: %v", err)
	}
	var wrong []error
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("InvalidDocumentContent", format, args...))
	}
	if d.SchemaVersion != "0.3" {
		bad("schemaVersion is %q; that of an Automation document is 0.3", d.SchemaVersion)
	}
	if len(d.MainSteps) == 0 {
		bad("there are no mainSteps")
	}
	known := map[string]bool{}
	for name := range d.Parameters {
		known[name] = true
	}
	check := func(where string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			bad("%s: %v", where, err)
		}
		for _, m := range automationReference.FindAllStringSubmatch(string(text), -1) {
			if !known[m[1]] && !strings.HasPrefix(m[1], "global:") && !strings.HasPrefix(m[1], "automation:") {
				bad("%s: {{ %s }} is neither a parameter nor an output of an earlier step", where, m[1])
			}
		}
	}
	check("assumeRole", d.AssumeRole)
	names := map[string]bool{}
	for _, s := range d.MainSteps {
		stepFits(s, names[s.Name], bad)
		names[s.Name] = true
		check(s.Name, s.Inputs)
		for _, o := range s.Outputs {
			known[s.Name+"."+o.Name] = true
			if !slices.Contains([]string{"String", "StringList", "StringMap", "Boolean", "Integer", "MapList"}, o.Type) {
				bad("%s: the output %s has no type", s.Name, o.Name)
			}
		}
	}
	return errors.Join(wrong...)
}

// stepFits checks one step alone. Twice says that an earlier step has its name.
func stepFits(s automationStep, twice bool, bad func(format string, args ...any)) {
	needed, there := automationActions[s.Action]
	switch {
	case !regexp.MustCompile(`^[a-zA-Z0-9_]{3,128}$`).MatchString(s.Name) || twice:
		bad("the step's name %q is there twice, or has other characters than letters, digits and _", s.Name)
	case !there:
		bad("%s: the cloud knows no action %s", s.Name, s.Action)
	}
	for _, input := range needed {
		if s.Inputs[input] == nil {
			bad("%s: %s needs the input %s", s.Name, s.Action, input)
		}
	}
	if runtime, _ := s.Inputs["Runtime"].(string); s.Action == "aws:executeScript" && !slices.Contains(scriptRuntimes, runtime) {
		bad("%s: there is no runtime %q", s.Name, runtime)
	}
	if s.Action == "aws:executeScript" && s.TimeoutSeconds > 600 {
		bad("%s: a script runs for 600 seconds at most", s.Name)
	}
}

// parametersFit refuses values for parameters that the document does not have, a role that Systems Manager cannot
// assume, and a document that would run without a required value.
func parametersFit(c *Call) error {
	document := c.Cloud.find(c.text("name"), "name", state.SSMDocument)
	if document == nil {
		return nil
	}
	var d automation
	if err := json.Unmarshal([]byte(text(document.Inputs, "content")), &d); err != nil {
		return nil
	}
	given := objectAt(c.In, "parameters")
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := d.Parameters[name]; !known {
			wrong = append(wrong, fail("InvalidParameters", "%s has no parameter %s", document.describe(), name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Parameters)) {
		if d.Parameters[name].Default == nil && given[name] == nil {
			wrong = append(wrong, fail("InvalidParameters", "%s needs the parameter %s", document.describe(), name))
		}
	}
	if role := text(given, "AutomationAssumeRole"); role != "" && !c.Preview {
		if c.Cloud.find(role, "arn", state.Role) == nil {
			wrong = append(wrong, fail("InvalidParameters", "AutomationAssumeRole is %s, and there is no such role", role))
		}
		wrong = append(wrong, trusts("parameters.AutomationAssumeRole", "ssm.amazonaws.com")(c))
	}
	return errors.Join(wrong...)
}
