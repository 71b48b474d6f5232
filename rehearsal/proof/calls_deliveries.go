package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// deliverer is the service that writes a load balancer's access logs.
const deliverer = "logdelivery.elasticloadbalancing.amazonaws.com"

// takesLogs reports whether a bucket accepts access logs, which must be encrypted with S3's own key. Source:
// docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html.
func (c *cluster) takesLogs(bucket string) bool {
	p := policyOf(c.One(state.BucketPolicy, bucket, "bucket"), "policy")
	return p != nil && slices.ContainsFunc(p.Statements, func(s iam.Statement) bool {
		return slices.Contains(s.Principal["Service"], deliverer)
	})
}

// proveDelivery proves that a load balancer's access logs reach their bucket.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
func (a *access) proveDelivery(r *state.Resource) {
	logs := r.Object("accessLogs")
	bucket := a.One(state.Bucket, logs.Text("bucket"), "bucket")
	if !logs.Flag("enabled", false) || bucket == nil {
		return
	}
	prefix := strings.Trim(logs.Text("prefix"), "/")
	if prefix != "" {
		prefix += "/"
	}
	by := fmt.Sprintf("the access logs of %s", r)
	a.check(a.services, call{
		by: by, as: service(deliverer), action: "s3:PutObject", proves: "access logs to S3",
		on: fmt.Sprintf("%s/%sAWSLogs/%s/elasticloadbalancing/x", bucket.Text("arn"), prefix, a.account),
		context: iam.Context{
			"aws:SourceAccount": {a.account}, "aws:SourceArn": {r.Text("arn")}, "s3:x-amz-acl": nil,
		},
	})
	if key := a.keyOfObject(bucket.Text("bucket"), ""); key != "" {
		a.services.fault("%s: %s is encrypted with a KMS key; access logs are delivered only where S3's own key encrypts", by, bucket)
	}
}

// proveLogBuckets proves that a bucket that accepts access logs gets some.
func (a *access) proveLogBuckets() {
	for _, b := range a.Of(state.Bucket) {
		name := b.Text("bucket")
		if !a.takesLogs(name) {
			continue
		}
		writes := slices.ContainsFunc(a.Of(state.LoadBalancer), func(r *state.Resource) bool {
			logs := r.Object("accessLogs")
			return logs.Flag("enabled", false) && logs.Text("bucket") == name
		}) || slices.ContainsFunc(a.Of(state.Ingress), func(r *state.Resource) bool {
			attributes := split(annotated(r, "load-balancer-attributes"))
			return slices.Contains(attributes, "access_logs.s3.enabled=true") && slices.Contains(attributes, "access_logs.s3.bucket="+name)
		})
		if !writes {
			a.services.fault("%s is open to access logs, and no load balancer writes any", b)
		}
	}
}

// proveAlarms proves that alarms and events may be published to the topic, and that the topic's key allows it.
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html and sns-key-management.html
func (a *access) proveAlarms() {
	told := func(by, topic, from, source string) {
		if !strings.Contains(topic, ":sns:") {
			return
		}
		t := a.One(state.Topic, topic, "arn")
		if t == nil {
			a.services.open("whether the topic %s lets %s publish is not in the state", topic, from)
			return
		}
		one := call{by: by, as: service(from), action: "sns:Publish", on: topic, proves: "alarms to SNS", context: iam.Context{
			"aws:SourceAccount": {a.account}, "aws:SourceOwner": {a.account}, "aws:SourceArn": {source},
		}}
		if from == "cloudwatch.amazonaws.com" && policyOf(t, "policy") == nil && a.policyOn(topic) == nil {
			return // a topic's default policy lets its own account's alarms publish
		}
		a.check(a.services, one)
		if key := t.Text("kmsMasterKeyId"); key != "" {
			a.check(a.keys, each(one, a.keyOf(key), "kms:Decrypt", "kms:GenerateDataKey")...)
		}
	}
	for _, token := range []string{state.MetricAlarm, state.CompositeAlarm} {
		for _, r := range a.Of(token) {
			for _, key := range []string{"alarmActions", "okActions", "insufficientDataActions"} {
				for _, action := range r.Texts(key) {
					told(r.String(), action, "cloudwatch.amazonaws.com", r.Text("arn"))
				}
			}
		}
	}
	for _, r := range a.Of(state.EventTarget) {
		rule := a.One(state.EventRule, r.Text("rule"), "name")
		source := a.arn("events", "rule/"+r.Text("rule"))
		if rule != nil {
			source = rule.Text("arn")
		}
		told(r.String(), r.Text("arn"), "events.amazonaws.com", source)
	}
	for _, r := range a.Of(state.DBEventSubscription) {
		told(r.String(), r.Text("snsTopic"), "events.rds.amazonaws.com", r.Text("arn"))
	}
}
