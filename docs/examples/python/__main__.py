"""A cluster as one resource of a team's own program. It gets its certificate and its log group from other resources of
the program.

The password is secret: pulumi config set --secret password
"""

import pulumi
import pulumi_aws as aws
import pulumi_wso2is as wso2is

frankfurt = aws.Provider("frankfurt", region="eu-central-1")
there = pulumi.ResourceOptions(provider=frankfurt)

certificate = aws.acm.Certificate(
    "certificate",
    domain_name="login.example.com",
    validation_method="DNS",
    opts=there,
)
validation = certificate.domain_validation_options[0]
record = aws.route53.Record(
    "record",
    zone_id="Z0123456789EXAMPLE",
    name=validation.resource_record_name.apply(str),
    type=validation.resource_record_type.apply(str),
    records=[validation.resource_record_value.apply(str)],
    ttl=300,
    opts=there,
)
validated = aws.acm.CertificateValidation(
    "validated",
    certificate_arn=certificate.arn,
    validation_record_fqdns=[record.fqdn],
    opts=there,
)

logs = aws.cloudwatch.LogGroup("logs", name="/platform/login", retention_in_days=30, opts=there)

login = wso2is.cluster.Cluster(
    "login",
    topology=wso2is.cluster.Topology.EC2,
    version=wso2is.cluster.ProductVersion.V7_3_0,
    hostname="login.example.com",
    nodes=wso2is.cluster.NodesArgs(count=3),
    network=wso2is.cluster.NetworkArgs(flow_logs=False),
    load_balancer=wso2is.cluster.LoadBalancerArgs(hosted_zone="Z0123456789EXAMPLE"),
    admin=wso2is.cluster.AdminArgs(password=pulumi.Config().require_secret("password")),
    # These decide no resource, so they may be outputs.
    certificate_arn=validated.certificate_arn,
    log_group=logs.name,
    opts=pulumi.ResourceOptions(providers=[frankfurt]),
)

pulumi.export("url", login.url)
pulumi.export("secrets", login.secrets)
