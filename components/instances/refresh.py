import time

import boto3

OVER = ("Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed")


def latest(scaling, name):
    found = scaling.describe_instance_refreshes(AutoScalingGroupName=name, MaxRecords=1)["InstanceRefreshes"]
    return found[0] if found else None


def wanted(refresh, version):
    return refresh.get("DesiredConfiguration", {}).get("LaunchTemplate", {}).get("Version") == version


def current(scaling, name, version):
    """Says whether the group and all of its instances are of the version."""
    group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    versions = {i.get("LaunchTemplate", {}).get("Version") for i in group["Instances"]}
    return group["LaunchTemplate"]["Version"] == version and versions <= {version}


def start(event, context):
    """Has a group replace its instances by those of a launch template's version, unless they are of it.

    The group keeps its version until the refresh has succeeded, so that one that fails has something to go back to.
    """
    scaling, name, version = boto3.client("autoscaling"), event["group"], event["version"]
    end = time.time() + event["seconds"]
    while True:
        now = latest(scaling, name)
        if now is None or now["Status"] in OVER:
            break
        if wanted(now, version):
            return {"started": "true"}
        if time.time() > end:
            raise Exception("another refresh of %s is %s" % (name, now["Status"]))
        time.sleep(15)
    if current(scaling, name, version):
        return {"started": "false"}
    alarms = []
    if event["alarms"]:
        # An alarm that rings already would end the refresh that is to mend what it rings for.
        found = boto3.client("cloudwatch").describe_alarms(AlarmNames=event["alarms"])["MetricAlarms"]
        alarms = [a["AlarmName"] for a in found if a["StateValue"] != "ALARM"]
    preferences = dict(event["preferences"], AutoRollback=True, SkipMatching=True)
    if alarms:
        preferences["AlarmSpecification"] = {"Alarms": alarms}
    scaling.start_instance_refresh(
        AutoScalingGroupName=name, Strategy="Rolling", Preferences=preferences,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": event["template"], "Version": version}})
    return {"started": "true"}


def expect(event, context):
    """Fails with the reason unless the group and all of its instances are of the version."""
    scaling, name, version = boto3.client("autoscaling"), event["group"], event["version"]
    end = time.time() + event["seconds"]
    while not current(scaling, name, version):
        now = latest(scaling, name)
        # A refresh that has succeeded shows in the group a moment later.
        if now is None or now["Status"] != "Successful" or time.time() > end:
            now = now or {"Status": "without a refresh"}
            raise Exception("%s did not come up with version %s: %s, %s%%: %s" % (
                name, version, now["Status"], now.get("PercentageComplete", 0),
                now.get("StatusReason", "no reason is given")))
        time.sleep(15)
    return {"outcome": "the group runs it"}
