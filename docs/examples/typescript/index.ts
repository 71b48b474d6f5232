// A cluster as one resource of a team's own program. It gets its certificate and its log group from other resources of
// the program.
// The password is secret: pulumi config set --secret password
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as wso2is from "@pulumi/wso2is";

const frankfurt = new aws.Provider("frankfurt", { region: "eu-central-1" });
const there = { provider: frankfurt };

const certificate = new aws.acm.Certificate("certificate", {
    domainName: "login.example.com",
    validationMethod: "DNS",
}, there);
const validation = certificate.domainValidationOptions[0];
const record = new aws.route53.Record("record", {
    zoneId: "Z0123456789EXAMPLE",
    name: validation.resourceRecordName,
    type: validation.resourceRecordType.apply((type) => type as aws.route53.RecordType),
    records: [validation.resourceRecordValue],
    ttl: 300,
}, there);
const validated = new aws.acm.CertificateValidation("validated", {
    certificateArn: certificate.arn,
    validationRecordFqdns: [record.fqdn],
}, there);

const logs = new aws.cloudwatch.LogGroup("logs", { name: "/platform/login", retentionInDays: 30 }, there);

const login = new wso2is.cluster.Cluster("login", {
    topology: "ec2",
    version: "7.3.0",
    hostname: "login.example.com",
    nodes: { count: 3 },
    network: { flowLogs: false },
    loadBalancer: { hostedZone: "Z0123456789EXAMPLE" },
    admin: { password: new pulumi.Config().requireSecret("password") },
    // These decide no resource, so they may be outputs.
    certificateArn: validated.certificateArn,
    logGroup: logs.name,
}, { providers: [frankfurt] });

export const url = login.url;
export const secrets = login.secrets;
