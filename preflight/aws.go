package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/wso2is-aws/wso2is/config"
)

// machine is the machine that runs the preflight.
type machine interface {
	// LookPath finds a program.
	LookPath(name string) error
	// NameServers returns the servers to which the public DNS delegates a domain.
	NameServers(ctx context.Context, domain string) ([]string, error)
}

// preflight is a stack and its account.
type preflight struct {
	machine
	cluster config.Cluster
	// account is the account's id, and caller the caller's ARN.
	account, caller string
	zones           []config.Zone

	acm    *acm.Client
	backup *backup.Client
	ec2    *ec2.Client
	ecr    *ecr.Client
	efs    *efs.Client
	iam    *iam.Client
	rds    *rds.Client
	dns    *route53.Client
	s3     *s3.Client
	quotas *servicequotas.Client
}

// open configures the clients like the AWS provider of the stack, and asks for the caller's identity.
func (p *preflight) open(ctx context.Context, c config.Cluster) error {
	settings, err := settingsOf(ctx, c)
	if err != nil {
		return err
	}
	at := endpointsOf(c.Provider)
	p.acm = acm.NewFromConfig(settings, func(o *acm.Options) { o.BaseEndpoint = at("acm", o.BaseEndpoint) })
	p.backup = backup.NewFromConfig(settings, func(o *backup.Options) { o.BaseEndpoint = at("backup", o.BaseEndpoint) })
	p.ec2 = ec2.NewFromConfig(settings, func(o *ec2.Options) { o.BaseEndpoint = at("ec2", o.BaseEndpoint) })
	p.ecr = ecr.NewFromConfig(settings, func(o *ecr.Options) { o.BaseEndpoint = at("ecr", o.BaseEndpoint) })
	p.efs = efs.NewFromConfig(settings, func(o *efs.Options) { o.BaseEndpoint = at("efs", o.BaseEndpoint) })
	p.iam = iam.NewFromConfig(settings, func(o *iam.Options) { o.BaseEndpoint = at("iam", o.BaseEndpoint) })
	p.rds = rds.NewFromConfig(settings, func(o *rds.Options) { o.BaseEndpoint = at("rds", o.BaseEndpoint) })
	p.dns = route53.NewFromConfig(settings, func(o *route53.Options) { o.BaseEndpoint = at("route53", o.BaseEndpoint) })
	p.s3 = s3.NewFromConfig(settings, func(o *s3.Options) {
		o.BaseEndpoint = at("s3", o.BaseEndpoint)
		o.UsePathStyle = c.Provider.S3UsePathStyle != nil && *c.Provider.S3UsePathStyle
	})
	p.quotas = servicequotas.NewFromConfig(settings, func(o *servicequotas.Options) {
		o.BaseEndpoint = at("servicequotas", o.BaseEndpoint)
	})
	who := sts.NewFromConfig(settings, func(o *sts.Options) { o.BaseEndpoint = at("sts", o.BaseEndpoint) })
	caller, err := who.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf("asking who the caller is: %w; give credentials, for example with AWS_PROFILE or aws:profile", err)
	}
	p.account, p.caller = aws.ToString(caller.Account), aws.ToString(caller.Arn)
	return nil
}

// settingsOf returns the SDK's settings for the keys of the namespace aws.
func settingsOf(ctx context.Context, c config.Cluster) (aws.Config, error) {
	provider := c.Provider
	// The default transport reads the proxies from the environment at its first request.
	for name, value := range map[string]string{
		"HTTP_PROXY": provider.HttpProxy, "HTTPS_PROXY": provider.HttpsProxy, "NO_PROXY": provider.NoProxy,
	} {
		if value != "" {
			if err := os.Setenv(name, value); err != nil {
				return aws.Config{}, fmt.Errorf("setting %s: %w", name, err)
			}
		}
	}
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRegion(c.Region),
		awsconfig.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			if provider.Insecure != nil && *provider.Insecure {
				t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // as asked
			}
		})),
	}
	if provider.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(provider.Profile))
	}
	if len(provider.SharedConfigFiles) > 0 {
		options = append(options, awsconfig.WithSharedConfigFiles(provider.SharedConfigFiles))
	}
	if len(provider.SharedCredentialsFiles) > 0 {
		options = append(options, awsconfig.WithSharedCredentialsFiles(provider.SharedCredentialsFiles))
	}
	if provider.UseFipsEndpoint != nil && *provider.UseFipsEndpoint {
		options = append(options, awsconfig.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if provider.UseDualstackEndpoint != nil && *provider.UseDualstackEndpoint {
		options = append(options, awsconfig.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled))
	}
	if provider.CustomCaBundle != "" {
		bundle, err := os.Open(provider.CustomCaBundle)
		if err != nil {
			return aws.Config{}, fmt.Errorf("reading aws:customCaBundle: %w", err)
		}
		defer func() { _ = bundle.Close() }()
		options = append(options, awsconfig.WithCustomCABundle(bundle))
	}
	settings, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return settings, fmt.Errorf("configuring the AWS clients: %w", err)
	}
	if provider.AccessKey != "" {
		settings.Credentials = credentials.NewStaticCredentialsProvider(provider.AccessKey, provider.SecretKey.Reveal(),
			provider.Token.Reveal())
	}
	return settings, assume(&settings, provider)
}

// assume assumes the provider's role.
func assume(settings *aws.Config, provider config.Provider) error {
	region := cmp.Or(provider.StsRegion, settings.Region)
	at := endpointsOf(provider)
	client := sts.NewFromConfig(*settings, func(o *sts.Options) {
		o.Region, o.BaseEndpoint = region, at("sts", o.BaseEndpoint)
	})
	if role := provider.AssumeRoleWithWebIdentity; role != nil {
		token := stscreds.IdentityTokenRetriever(stscreds.IdentityTokenFile(role.WebIdentityTokenFile))
		if role.WebIdentityToken.Set() {
			token = webToken(role.WebIdentityToken.Reveal())
		}
		lasts, err := duration(role.Duration)
		if err != nil {
			return fmt.Errorf("aws:assumeRoleWithWebIdentity.duration: %w", err)
		}
		settings.Credentials = aws.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(client, role.RoleArn, token,
			func(o *stscreds.WebIdentityRoleOptions) {
				o.RoleSessionName, o.Duration = cmp.Or(role.SessionName, session), lasts
				o.Policy, o.PolicyARNs = optional(role.Policy), policies(role.PolicyArns)
			}))
	}
	role := provider.AssumeRole
	if role == nil {
		return nil
	}
	lasts, err := duration(role.Duration)
	if err != nil {
		return fmt.Errorf("aws:assumeRole.duration: %w", err)
	}
	if provider.AssumeRoleWithWebIdentity != nil {
		client = sts.NewFromConfig(*settings, func(o *sts.Options) {
			o.Region, o.BaseEndpoint = region, at("sts", o.BaseEndpoint)
		})
	}
	settings.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, role.RoleArn,
		func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName, o.Duration = cmp.Or(role.SessionName, session), lasts
			o.ExternalID, o.SourceIdentity = optional(role.ExternalId), optional(role.SourceIdentity)
			o.Policy, o.PolicyARNs, o.TransitiveTagKeys = optional(role.Policy), policies(role.PolicyArns), role.TransitiveTagKeys
			for _, key := range sorted(role.Tags) {
				o.Tags = append(o.Tags, ststypes.Tag{Key: aws.String(key), Value: aws.String(role.Tags[key])})
			}
		}))
	return nil
}

// session is the session's name in CloudTrail if the stack sets none.
const session = "preflight"

type webToken string

// GetIdentityToken returns the token.
func (t webToken) GetIdentityToken() ([]byte, error) { return []byte(t), nil }

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

func policies(arns []string) []ststypes.PolicyDescriptorType {
	var all []ststypes.PolicyDescriptorType
	for _, arn := range arns {
		all = append(all, ststypes.PolicyDescriptorType{Arn: aws.String(arn)})
	}
	return all
}

// endpointsOf returns a service's own URL if aws:endpoints names one.
func endpointsOf(provider config.Provider) func(service string, otherwise *string) *string {
	return func(service string, otherwise *string) *string {
		for _, services := range provider.Endpoints {
			if url := services[service]; url != "" {
				return &url
			}
		}
		return otherwise
	}
}

// listZones lists the zones as the program does.
func (p *preflight) listZones(ctx context.Context) ([]config.Zone, error) {
	if p.zones != nil {
		return p.zones, nil
	}
	found, err := p.ec2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{
		{Name: aws.String("state"), Values: []string{"available"}},
		{Name: aws.String("opt-in-status"), Values: []string{"opt-in-not-required"}},
	}})
	if err != nil {
		return nil, err
	}
	for _, z := range found.AvailabilityZones {
		p.zones = append(p.zones, config.Zone{Name: aws.ToString(z.ZoneName), ID: aws.ToString(z.ZoneId)})
	}
	return p.zones, nil
}

// denials are the error codes for a missing permission.
var denials = []string{
	"AccessDenied", "AccessDeniedException", "AccessDeniedFault", "AuthorizationError", "UnauthorizedOperation", "Forbidden",
}

// unanswered is the result of a check whose request failed.
func unanswered(err error, actions []string) result {
	if code(err) != "" && slices.Contains(denials, code(err)) {
		var call *smithy.OperationError
		if errors.As(err, &call) {
			if i := slices.IndexFunc(actions, func(a string) bool { return strings.HasSuffix(a, ":"+call.Operation()) }); i >= 0 {
				actions = actions[i : i+1]
			}
		}
		return result{notChecked, "the caller has no permission to ask", "allow " + strings.Join(actions, ", ") + ", or see docs/preflight.md"}
	}
	return result{failed, "AWS gave no answer: " + err.Error(), "run it again once AWS answers"}
}

// code is a service's error code, or empty.
func code(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return ""
}

// header returns a header of an error response.
func header(err error, name string) string {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.Header.Get(name)
	}
	return ""
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
