import json

import boto3
from botocore.config import Config


def start(event, context):
    """Starts the restore. A run after one that was cut off finds the job of that one by its token.

    AWS does not document how long it keeps a token. After that, the same call starts a second job. This job fills a directory of
    its own, and the function moves the newest directory only.
    """
    backup = boto3.client("backup")
    for attempt in range(100):
        job = backup.start_restore_job(
            RecoveryPointArn=event["recoveryPoint"],
            IamRoleArn=event["restorer"],
            ResourceType="EFS",
            IdempotencyToken="%s-%d" % (event["fileSystem"], attempt),
            Metadata={"file-system-id": event["fileSystem"], "newFileSystem": "false"},
        )["RestoreJobId"]
        if backup.describe_restore_job(RestoreJobId=job)["Status"] not in ("FAILED", "ABORTED"):
            return {"job": job}
    raise Exception("a hundred restores of %s into %s have failed" % (event["recoveryPoint"], event["fileSystem"]))


def finish(event, context):
    """Fails with the reason unless the restore is complete, and has the files moved."""
    backup = boto3.client("backup")
    job = backup.describe_restore_job(RestoreJobId=event["job"])
    if job["Status"] != "COMPLETED":
        raise Exception("the files were not restored: the restore job %s is %s: %s"
                        % (event["job"], job["Status"], job.get("StatusMessage", "no reason is given")))
    functions = boto3.client("lambda", config=Config(read_timeout=540, retries={"max_attempts": 0}))
    answer = functions.invoke(FunctionName=event["function"], Payload=json.dumps({"directories": event["directories"]}))
    said = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise Exception("the restored files were not moved: " + said)
    return json.loads(said)
