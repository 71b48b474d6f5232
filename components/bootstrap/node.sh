# Makes this instance a node: every step can be run again, and the first one that fails ends the script by name.
set -euo pipefail
ROOT=${WSO2IS_ROOT:-}
BASE=$ROOT/opt/wso2is
IS_HOME=$BASE/wso2is-$VERSION
STEP=start
PROGRAM=bootstrap
export AWS_DEFAULT_REGION=$REGION AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8

finish() {
	local status=$?
	if ((status == 0)); then
		log "done"
	else
		log "failed in the step: $STEP (status $status)"
	fi
	complete_launch "$status" || log "could not complete the lifecycle action"
	mkdir -p "$BASE/etc"
	echo "$status" >"$BASE/etc/bootstrap.status"
	exit "$status"
}

step() {
	STEP=$1
	log "$STEP"
	shift
	"$@"
}

identify() {
	INSTANCE=$(metadata instance-id)
	NODE=${NODE:-$INSTANCE}
	NODE_ADDRESS=${NODE_ADDRESS:-$(metadata local-ipv4)}
	mkdir -p "$BASE"/{bin,dist,etc,lib}
	declare -p REGION CLUSTER INSTANCE NODE NODE_ADDRESS HAZELCAST HAZELCAST_PORT HAZELCAST_FIRST HAZELCAST_LAST SECRETS \
		LIFECYCLE_GROUP >"$BASE/etc/node.conf"
	log "node $NODE at $NODE_ADDRESS"
}

fetch_programs() {
	local entry key sum path
	for entry in "${PROGRAMS[@]}"; do
		IFS='|' read -r key sum path <<<"$entry"
		fetch "s3://$BUCKET/$key" "$sum" "$BASE/$path"
		chmod 0755 "$BASE/$path"
	done
}

complete_launch() {
	[[ -n $LIFECYCLE_HOOK && -n ${INSTANCE:-} ]] || return 0
	local result=CONTINUE
	(($1 == 0)) || result=ABANDON
	aws autoscaling complete-lifecycle-action --region "$REGION" --lifecycle-hook-name "$LIFECYCLE_HOOK" \
		--auto-scaling-group-name "$LIFECYCLE_GROUP" --instance-id "$INSTANCE" --lifecycle-action-result "$result"
}

mkdir -p "$ROOT/var/log"
exec > >(tee -a "$ROOT/var/log/wso2is-bootstrap.log") 2>&1
trap finish EXIT
# What only makes the schema does not outlive it, even where nobody is left to terminate it.
((${#DATABASES[@]} == 0)) || shutdown -h +60
step "find out who this node is" identify
step "fetch the node's programs" fetch_programs
# The rest is the same for every node and would not fit here; its checksum is above.
# shellcheck source=programs/setup
. "$BASE/lib/setup"
