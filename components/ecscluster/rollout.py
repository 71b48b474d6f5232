import time

import boto3


def rollout(event, context):
    """Fails with the reason unless the service's deployment of the task definition is complete."""
    ecs = boto3.client("ecs")
    cluster, name = event["cluster"], event["service"]
    end = time.time() + event["seconds"]
    while True:
        service = ecs.describe_services(cluster=cluster, services=[name])["services"][0]
        primary = [d for d in service["deployments"] if d["status"] == "PRIMARY"][0]
        gone_back = primary["taskDefinition"] != event["task"]
        if gone_back or primary.get("rolloutState") == "FAILED":
            break
        if primary.get("rolloutState") == "COMPLETED":
            return {"outcome": "the service runs it"}
        if time.time() > end:
            break
        time.sleep(15)
    why = [primary.get("rolloutStateReason", "no reason is given")]
    if gone_back:
        why.append("ECS has gone back to " + primary["taskDefinition"])
    stopped = ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus="STOPPED")["taskArns"][:5]
    for task in ecs.describe_tasks(cluster=cluster, tasks=stopped)["tasks"] if stopped else []:
        parts = [task.get("stoppedReason", "")]
        for c in task["containers"]:
            if c.get("exitCode") or c.get("reason"):
                parts.append("%s: exit status %s %s" % (c["name"], c.get("exitCode", "none"), c.get("reason", "")))
        why.append("; ".join(parts))
    why += [e["message"] for e in service.get("events", [])[:3]]
    raise Exception("%s did not come up with %s: %s" % (name, event["task"], " | ".join(why)))
