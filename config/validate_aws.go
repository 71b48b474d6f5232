package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var accountID = regexp.MustCompile(`^\d{12}$`)

// provider checks settings with which the AWS provider would use another identity than the stack file says.
func (v *validator) provider() {
	p := v.Provider
	switch {
	case p.AccessKey != "" && !p.SecretKey.Set():
		v.refuse(ProviderNamespace+"secretKey", "write it, or leave out accessKey", "accessKey needs it")
	case p.AccessKey == "" && p.SecretKey.Set():
		v.refuse(ProviderNamespace+"accessKey", "write it, or leave out secretKey", "secretKey needs it")
	}
	if p.Token.Set() && p.AccessKey == "" {
		v.refuse(ProviderNamespace+"token", "give accessKey and secretKey too", "a session token belongs to keys")
	}
	lists := []struct {
		name string
		ids  []string
	}{{"allowedAccountIds", p.AllowedAccountIds}, {"forbiddenAccountIds", p.ForbiddenAccountIds}}
	for _, list := range lists {
		for i, id := range list.ids {
			if !accountID.MatchString(id) {
				v.refuse(fmt.Sprintf("%s%s[%d]", ProviderNamespace, list.name, i), `write its 12 digits in quotes, such as "123456789012"`,
					"%q is not the id of an account", id)
			}
		}
	}
	restricted := len(p.AllowedAccountIds)+len(p.ForbiddenAccountIds) > 0
	if len(p.AllowedAccountIds) > 0 && len(p.ForbiddenAccountIds) > 0 {
		v.refuse(ProviderNamespace+"forbiddenAccountIds", "leave out one of them", "the provider accepts only one of it and allowedAccountIds")
	}
	if skip := p.SkipRequestingAccountId; restricted && skip != nil && *skip {
		v.refuse(ProviderNamespace+"skipRequestingAccountId", "leave it out", "the provider then cannot know whether the account is allowed")
	}
	if role := p.AssumeRole; role != nil {
		v.role("assumeRole.roleArn", role.RoleArn)
	}
	if role := p.AssumeRoleWithWebIdentity; role != nil {
		v.role("assumeRoleWithWebIdentity.roleArn", role.RoleArn)
		if role.WebIdentityToken.Set() == (role.WebIdentityTokenFile != "") {
			v.refuse(ProviderNamespace+"assumeRoleWithWebIdentity.webIdentityTokenFile", "write webIdentityTokenFile, or set webIdentityToken",
				"the provider needs exactly one token to assume the role")
		}
	}
	if len(p.Endpoints) > 1 {
		v.refuse(ProviderNamespace+"endpoints", "write one object with every service in it", "the list has %d objects", len(p.Endpoints))
	}
	v.providerTags()
}

func (v *validator) role(path, arn string) {
	if !roleARN.MatchString(arn) {
		v.refuse(ProviderNamespace+path, "write one such as arn:aws:iam::123456789012:role/deploy", "%q is not the ARN of a role", arn)
	}
}

// providerTags compares the provider's own tags with those of the program.
func (v *validator) providerTags() {
	if given := v.Provider.DefaultTags; given != nil {
		for _, key := range slices.Sorted(maps.Keys(given.Tags)) {
			path := ProviderNamespace + "defaultTags.tags." + key
			v.tag(path, key, given.Tags[key])
			if other, twice := v.Tags[key]; twice && other != given.Tags[key] {
				v.refuse(path, "write the tag once", "wso2is:tags gives it another value")
			}
		}
	}
	ignored := v.Provider.IgnoreTags
	if ignored == nil {
		return
	}
	for _, key := range ownTags {
		if slices.Contains(ignored.Keys, key) ||
			slices.ContainsFunc(ignored.KeyPrefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
			v.refuse(ProviderNamespace+"ignoreTags", "write keys of others", "the program sets the tag %s itself", key)
		}
	}
}

// tokenOfCLI refuses settings that `aws eks get-token` does not support: its only option for a role is --role-arn, and
// the AWS CLI reads one configuration file and one credentials file (AWS CLI, eks get-token and "Configuration and
// credential files").
func (v *validator) tokenOfCLI() {
	const cannot, profile = "the kubeconfig's token comes from `aws eks get-token`, which has no option for it",
		"write aws:profile, and put it into that profile of the AWS configuration file"
	p := v.Provider
	if role := p.AssumeRole; role != nil {
		for name, given := range map[string]bool{
			"externalId": role.ExternalId != "", "sourceIdentity": role.SourceIdentity != "", "tags": len(role.Tags) > 0,
			"transitiveTagKeys": len(role.TransitiveTagKeys) > 0,
		} {
			if given {
				v.refuse(ProviderNamespace+"assumeRole."+name, profile, cannot)
			}
		}
	}
	if role := p.AssumeRoleWithWebIdentity; role != nil && role.WebIdentityToken.Set() {
		v.refuse(ProviderNamespace+"assumeRoleWithWebIdentity.webIdentityToken", "write webIdentityTokenFile", cannot)
	}
	for name, files := range map[string][]string{
		"sharedConfigFiles": p.SharedConfigFiles, "sharedCredentialsFiles": p.SharedCredentialsFiles,
	} {
		if len(files) > 1 {
			v.refuse(ProviderNamespace+name, "write one file", cannot)
		}
	}
}
