# Fills the volumes that a node's containers share, in the image that has the AWS CLI: files with their checksums, and
# what only the running task knows. It follows the functions of fetch.sh.
set -euo pipefail
PROGRAM=prepare
ROOT=${WSO2IS_ROOT:-}
SHARED=$ROOT/opt/wso2is
# The CLI keeps a cache at home, and user 802 has none in this image.
export HOME=${HOME:-/tmp} AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8

# On the network of its instance, a task has the instance's address and none that ECS knows of.
find_address() {
	local task
	task=$(curl -sf --retry 5 "$ECS_CONTAINER_METADATA_URI_V4")
	if [[ $task =~ \"IPv4Addresses\":[[:space:]]*\[[[:space:]]*\"([0-9.]+)\" ]]; then
		echo "${BASH_REMATCH[1]}"
		return
	fi
	metadata local-ipv4
}

# The server may run as another user. The volumes themselves are not this program's to change.
umask 022
mkdir -p "$SHARED/etc"
while IFS='|' read -r from checksum path; do
	[[ -z $from ]] && continue
	log "fetch $from"
	fetch "$from" "$checksum" "$ROOT$path"
	chmod a+r "$ROOT$path"
done <<<"$WSO2IS_FILES"
printf '%s' "${WSO2IS_SCHEMA:-}" >"$SHARED/etc/schema.properties"
if [[ -n ${ECS_CONTAINER_METADATA_URI_V4:-} ]]; then
	# A task's volumes are root's, and the programs beside the server are not root.
	mkdir -p "$SHARED/turn" "$ROOT/tmp"
	chmod 1777 "$SHARED/turn" "$ROOT/tmp"
	address=$(find_address)
	[[ -n $address ]] || die "this task's address is unknown"
	printf '%s\n' "$address" >"$SHARED/etc/node-ip"
	log "this node is at $address"
fi
log "done"
