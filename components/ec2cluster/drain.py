import hashlib

import boto3


def drain(event, context):
    """Takes the instance that has the interface out of the target group, and says for how long its requests may go on.

    State Manager also runs this when the document changes and nothing is replaced. An instance that already has the launch
    settings stays, since nobody would register it again. It is registered here: an update that was to replace it may have failed
    after this script took it out, and then was taken back.
    """
    ec2 = boto3.client("ec2")
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=[event["interface"]])
    instance = interfaces["NetworkInterfaces"][0].get("Attachment", {}).get("InstanceId")
    if not instance:
        return {"wait": "PT1S"}
    balancer = boto3.client("elbv2")
    if event["launch"] in launches(ec2, instance):
        balancer.register_targets(TargetGroupArn=event["targetGroup"], Targets=[{"Id": instance, "Port": int(event["port"])}])
        return {"wait": "PT1S"}
    balancer.deregister_targets(TargetGroupArn=event["targetGroup"], Targets=[{"Id": instance}])
    return {"wait": "PT%dS" % (int(event["seconds"]) + 10)}


def launches(ec2, instance):
    """Returns the checksums of the instance's launch settings: without its image, and with it."""
    of = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    data = ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"].get("Value", "")
    without = data + of["InstanceType"]
    return [hashlib.sha256(text.encode()).hexdigest()[:32] for text in (without, without + of["ImageId"])]
