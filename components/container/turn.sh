# Says when this task may start its server: at once where another one of the service serves already, and otherwise only
# where this is the oldest task of its revision. Servers that start together on an empty database insert the same rows,
# and each forms a cluster of its own; the others start once the first one serves. Tasks of an earlier revision that do
# not serve are not waited for: this one may be what repairs them.
set -euo pipefail
PROGRAM=turn
export HOME=${HOME:-/tmp} LC_ALL=C AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8
GO=${WSO2IS_ROOT:-}/opt/wso2is/turn/due

# However this ends, the server starts: better two that start together than none.
finish() {
	mkdir -p "${GO%/*}"
	: >"$GO"
}
trap finish EXIT

task=$(curl -sf --retry 5 "$ECS_CONTAINER_METADATA_URI_V4/task")
[[ $task =~ \"TaskARN\":[[:space:]]*\"([^\"]+)\" ]]
own=${BASH_REMATCH[1]}

# One line for each task: when it was made, itself, its revision, its health.
tasks() {
	local arns
	arns=$(aws ecs list-tasks --cluster "$CLUSTER" --service-name "$SERVICE" --desired-status RUNNING \
		--query taskArns --output text) || return
	[[ -n $arns && $arns != None ]] || return 0
	# shellcheck disable=SC2086 # several ARNs
	aws ecs describe-tasks --cluster "$CLUSTER" --tasks $arns --output text \
		--query 'tasks[].[createdAt,taskArn,taskDefinitionArn,healthStatus]'
}

deadline=$((SECONDS + WAIT_SECONDS))
while ((SECONDS < deadline)); do
	if ! found=$(tasks); then
		log "ECS does not say which tasks there are; asking again"
		sleep "${WSO2IS_TURN_INTERVAL:-5}"
		continue
	fi
	revision='' oldest='' first=''
	while IFS=$'\t' read -r made arn definition health; do
		if [[ $health == HEALTHY ]]; then
			log "another node serves"
			exit
		fi
		[[ $arn != "$own" ]] || revision=$definition
	done <<<"$found"
	while IFS=$'\t' read -r made arn definition health; do
		if [[ -n $revision && $definition == "$revision" && (-z $oldest || "$made $arn" < "$oldest") ]]; then
			oldest="$made $arn" first=$arn
		fi
	done <<<"$found"
	if [[ $first == "$own" ]]; then
		log "nobody serves yet, and this task is the first"
		exit
	fi
	log "waiting for ${first:-ECS to list this task}"
	sleep "${WSO2IS_TURN_INTERVAL:-5}"
done
log "nobody serves after $WAIT_SECONDS seconds; starting"
