import boto3


def drain(event, context):
    """Takes the instance that has the interface out of the target group, and says for how long its requests may go on."""
    interfaces = boto3.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[event["interface"]])
    instance = interfaces["NetworkInterfaces"][0].get("Attachment", {}).get("InstanceId")
    if not instance:
        return {"wait": "PT1S"}
    boto3.client("elbv2").deregister_targets(TargetGroupArn=event["targetGroup"], Targets=[{"Id": instance}])
    return {"wait": "PT%dS" % (int(event["seconds"]) + 10)}
