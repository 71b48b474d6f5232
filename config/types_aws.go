package config

// Provider is the configuration of the AWS provider for all look-ups and resources, and of the AWS CLI's call for the
// token of the Kubernetes cluster. All of it may be stored encrypted. An account that is not allowed is refused before
// the first resource. Other keys are refused.
type Provider struct {
	// These are the arguments of pulumi-aws's provider. An explicit provider reads none of the namespace aws by itself
	// (pulumi-aws #1307 and #3259), so the program passes every key.

	// Encrypted names the keys that the stack file holds encrypted.
	Encrypted []string `json:"-"`

	// AccessKey is the access key's id, with secretKey.
	AccessKey string `json:"accessKey,omitempty"`
	// SecretKey is the secret access key, encrypted.
	SecretKey Secret `json:"secretKey,omitempty"`
	// Token is the session token of temporary keys, encrypted.
	Token Secret `json:"token,omitempty"`
	// Profile is a profile of the shared configuration and credentials files.
	Profile string `json:"profile,omitempty"`
	// SharedConfigFiles are paths of configuration files. Default: `~/.aws/config`.
	SharedConfigFiles []string `json:"sharedConfigFiles,omitempty"`
	// SharedCredentialsFiles are paths of credentials files. Default: `~/.aws/credentials`.
	SharedCredentialsFiles []string `json:"sharedCredentialsFiles,omitempty"`
	// AssumeRole is a role that the provider assumes before it calls AWS.
	AssumeRole *AssumeRole `json:"assumeRole,omitempty"`
	// AssumeRoleWithWebIdentity is a role that the provider assumes with a token of an OpenID Connect provider.
	AssumeRoleWithWebIdentity *WebIdentity `json:"assumeRoleWithWebIdentity,omitempty"`
	// AllowedAccountIds are the only accounts that the provider uses; in quotes. Exclusive with forbiddenAccountIds.
	AllowedAccountIds []string `json:"allowedAccountIds,omitempty"`
	// ForbiddenAccountIds are accounts that the provider must not use; in quotes.
	ForbiddenAccountIds []string `json:"forbiddenAccountIds,omitempty"`
	// DefaultTags are tags for every resource, besides those of wso2is:tags.
	DefaultTags *DefaultTags `json:"defaultTags,omitempty"`
	// IgnoreTags are tags of other owners. The provider neither reads nor removes them.
	IgnoreTags *IgnoreTags `json:"ignoreTags,omitempty"`
	// Endpoints has one object with URLs by service, which replace the service's own.
	Endpoints []map[string]string `json:"endpoints,omitempty"`
	// UseDualstackEndpoint calls the services' dual-stack endpoints, which have IPv6 too.
	UseDualstackEndpoint *bool `json:"useDualstackEndpoint,omitempty"`
	// UseFipsEndpoint calls the services' FIPS endpoints.
	UseFipsEndpoint *bool `json:"useFipsEndpoint,omitempty"`
	// StsRegion is the region of the STS endpoint.
	StsRegion string `json:"stsRegion,omitempty"`
	// S3UsePathStyle calls S3 with the bucket's name in the path.
	S3UsePathStyle *bool `json:"s3UsePathStyle,omitempty"`
	// S3UsEast1RegionalEndpoint is `regional` or `legacy`, the endpoint of S3 in us-east-1.
	S3UsEast1RegionalEndpoint string `json:"s3UsEast1RegionalEndpoint,omitempty"`
	// Ec2MetadataServiceEndpoint is the URL of the metadata service of the instance that runs pulumi.
	Ec2MetadataServiceEndpoint string `json:"ec2MetadataServiceEndpoint,omitempty"`
	// Ec2MetadataServiceEndpointMode is `IPv4` or `IPv6`, the metadata service's protocol.
	Ec2MetadataServiceEndpointMode string `json:"ec2MetadataServiceEndpointMode,omitempty"`
	// CustomCaBundle is a file with further certificate authorities.
	CustomCaBundle string `json:"customCaBundle,omitempty"`
	// HttpProxy is the proxy through which the provider sends HTTP requests.
	HttpProxy string `json:"httpProxy,omitempty"` //nolint:revive // as the provider spells it
	// HttpsProxy is the proxy through which the provider sends HTTPS requests.
	HttpsProxy string `json:"httpsProxy,omitempty"` //nolint:revive // as the provider spells it
	// NoProxy lists the hosts that the provider calls without a proxy, separated by commas.
	NoProxy string `json:"noProxy,omitempty"`
	// Insecure takes any certificate.
	Insecure *bool `json:"insecure,omitempty"`
	// MaxRetries is the maximum number of attempts of a request.
	MaxRetries *int `json:"maxRetries,omitempty" jsonschema:"minimum=0,maximum=1000"`
	// RetryMode is `standard` or `adaptive`.
	RetryMode string `json:"retryMode,omitempty"`
	// TokenBucketRateLimiterCapacity is the capacity of the bucket that limits retries.
	TokenBucketRateLimiterCapacity *int `json:"tokenBucketRateLimiterCapacity,omitempty" jsonschema:"minimum=0,maximum=1000000"`
	// SkipCredentialsValidation skips the check of the credentials. Default: false.
	SkipCredentialsValidation *bool `json:"skipCredentialsValidation,omitempty"`
	// SkipMetadataApiCheck does not use the metadata service for credentials. Default: true.
	SkipMetadataApiCheck *bool `json:"skipMetadataApiCheck,omitempty"` //nolint:revive // as the provider spells it
	// SkipRegionValidation skips the check of the region's name. Default: true.
	SkipRegionValidation *bool `json:"skipRegionValidation,omitempty"`
	// SkipRequestingAccountId skips the request for the account's id. Default: false.
	SkipRequestingAccountId *bool `json:"skipRequestingAccountId,omitempty"` //nolint:revive // as the provider spells it
}

// AssumeRole is a role and the settings of its session.
type AssumeRole struct {
	// RoleArn is the role's ARN.
	RoleArn string `json:"roleArn"`
	// SessionName names the session in CloudTrail.
	SessionName string `json:"sessionName,omitempty"`
	// ExternalId is the external id for the role's trust policy. Not on eks.
	ExternalId string `json:"externalId,omitempty"` //nolint:revive // as the provider spells it
	// Duration is how long the session lasts, such as 1h.
	Duration string `json:"duration,omitempty"`
	// Policy is a policy document that restricts the session.
	Policy string `json:"policy,omitempty"`
	// PolicyArns are policies that restrict the session.
	PolicyArns []string `json:"policyArns,omitempty"`
	// SourceIdentity is the source identity of the session. Not on eks.
	SourceIdentity string `json:"sourceIdentity,omitempty"`
	// Tags are the session's tags. Not on eks.
	Tags map[string]string `json:"tags,omitempty"`
	// TransitiveTagKeys are the keys of the tags that pass to further sessions. Not on eks.
	TransitiveTagKeys []string `json:"transitiveTagKeys,omitempty"`
}

// WebIdentity is a role and the token to assume it.
type WebIdentity struct {
	// RoleArn is the role's ARN.
	RoleArn string `json:"roleArn"`
	// SessionName names the session in CloudTrail.
	SessionName string `json:"sessionName,omitempty"`
	// WebIdentityToken is the token itself, encrypted. Not on eks.
	WebIdentityToken Secret `json:"webIdentityToken,omitempty"`
	// WebIdentityTokenFile is the file that holds the token.
	WebIdentityTokenFile string `json:"webIdentityTokenFile,omitempty"`
	// Duration is how long the session lasts, such as 1h.
	Duration string `json:"duration,omitempty"`
	// Policy is a policy document that restricts the session.
	Policy string `json:"policy,omitempty"`
	// PolicyArns are policies that restrict the session.
	PolicyArns []string `json:"policyArns,omitempty"`
}

// DefaultTags are tags for every resource.
type DefaultTags struct {
	// Tags are the tags by key.
	Tags map[string]string `json:"tags,omitempty"`
}

// IgnoreTags are tags that the provider does not touch.
type IgnoreTags struct {
	// Keys are tags by key.
	Keys []string `json:"keys,omitempty"`
	// KeyPrefixes are tags by the prefix of their keys.
	KeyPrefixes []string `json:"keyPrefixes,omitempty"`
}
