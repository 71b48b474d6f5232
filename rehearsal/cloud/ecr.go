package cloud

import (
	"fmt"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// ecrTypes are repositories of container images.
var ecrTypes = []Type{
	{
		Token: state.ECRRepository, ID: "{name}", ARN: "arn:{partition}:ecr:{region}:{account}:repository/{name}", Name: "name",
		Tags:     true,
		Defaults: Object{"imageTagMutability": "MUTABLE"},
		Outputs: Object{
			"registryId": "{account}", "repositoryUrl": "{account}.dkr.ecr.{region}.{suffix}/{name}",
		},
		Replace: []string{"name", "encryptionConfigurations"},
		Unique:  []Unique{{By: []string{"name"}, Code: "RepositoryAlreadyExistsException"}},
		Fields: []Field{
			like("name", `(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`,
				"lower-case letters, digits and ._-/ between them", 2, 256),
			oneOf("imageTagMutability", "MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"),
			oneOf("encryptionConfigurations[].encryptionType", "AES256", "KMS"),
		},
		Refs: []Ref{ref("encryptionConfigurations[].kmsKey", state.KMSKey).by("arn").free().code("KmsException")},
	},
	{
		Token: state.ECRLifecyclePolicy, Put: true, ID: "{repository}", Required: []string{"policy", "repository"},
		Outputs: Object{"registryId": "{account}"},
		// terraform-provider-aws #49624
		Replace: []string{"policy", "repository"}, DeleteFirst: true,
		Unique: []Unique{{By: []string{"repository"}, Code: "InvalidParameterException"}},
		Refs:   []Ref{ref("repository", state.ECRRepository).by("name").free().code("RepositoryNotFoundException")},
		Check:  []Rule{lifecycleFits},
	},
}

// lifecycleFits refuses a lifecycle policy that ECR cannot read.
func lifecycleFits(c *Call) error {
	raw, ok := c.In["policy"].(string)
	if !ok {
		return nil
	}
	var policy struct {
		Rules []struct {
			RulePriority int
			Description  string
			Selection    struct {
				TagStatus, CountType, CountUnit string
				CountNumber                     int
				TagPrefixList, TagPatternList   []string
			}
			Action struct{ Type string }
		}
	}
	if err := strict([]byte(raw), &policy); err != nil {
		return fail("InvalidParameterException", "policy cannot be read: %v", err)
	}
	var priorities []int
	for i, r := range policy.Rules {
		s := r.Selection
		at := fmt.Sprintf("policy: rules[%d]", i)
		switch {
		case r.RulePriority < 1 || slices.Contains(priorities, r.RulePriority):
			return fail("InvalidParameterException", "%s: the priority %d is no number of its own from 1 on", at, r.RulePriority)
		case !slices.Contains([]string{"tagged", "untagged", "any"}, s.TagStatus):
			return fail("InvalidParameterException", "%s: there is no tagStatus %q", at, s.TagStatus)
		case s.TagStatus == "tagged" && len(s.TagPrefixList)+len(s.TagPatternList) == 0:
			return fail("InvalidParameterException", "%s: tagged needs tagPrefixList or tagPatternList", at)
		case s.CountType == "sinceImagePushed" && s.CountUnit != "days", s.CountType == "imageCountMoreThan" && s.CountUnit != "":
			return fail("InvalidParameterException", "%s: countUnit is %q, which does not go with %s", at, s.CountUnit, s.CountType)
		case s.CountType != "sinceImagePushed" && s.CountType != "imageCountMoreThan":
			return fail("InvalidParameterException", "%s: there is no countType %q", at, s.CountType)
		case s.CountNumber < 1:
			return fail("InvalidParameterException", "%s: countNumber is %d", at, s.CountNumber)
		case r.Action.Type != "expire":
			return fail("InvalidParameterException", "%s: there is no action %q", at, r.Action.Type)
		}
		for j, other := range policy.Rules {
			if s.TagStatus == "any" && j != i && other.RulePriority > r.RulePriority {
				return fail("InvalidParameterException", "%s: a rule for any tag must come last", at)
			}
		}
		priorities = append(priorities, r.RulePriority)
	}
	if len(policy.Rules) == 0 {
		return fail("InvalidParameterException", "policy has no rules")
	}
	return nil
}
