# Runs the server in the product's image, with the image's own entrypoint. It follows common.sh and server.sh.

if [ -z "${NODE_IP:-}" ] && [ -f "$SHARED/etc/node-ip" ]; then
	NODE_IP=$(cat "$SHARED/etc/node-ip")
fi
export NODE_IP="${NODE_IP:-}"
hash=$(printf '%s' "$WSO2_ENDPOINT_PASSWORD" | sha256sum)
export WSO2_ENDPOINT_PASSWORD_HASH="${hash%% *}"
# The image's own options stay: they say where Java's preferences are.
export JAVA_OPTS="${JAVA_OPTS:-} ${WSO2IS_JVM_OPTIONS:-}"

work=$(umask 077 && mktemp -d)
export P="$WSO2_KEYSTORE_PASSWORD"
printf '%s' "$WSO2_KEYSTORE" | base64 -d >"$work/source.p12" || die "WSO2_KEYSTORE is not base64"
make_keystore "$work" "$SECURITY/$WSO2IS_KEYSTORE_FILE" "$WSO2IS_KEYSTORE_TYPE" "WSO2_KEYSTORE"
trust "$work/certificate.pem" "$SECURITY/$WSO2IS_TRUSTSTORE_FILE" "$BOOTSTRAP"
if [ -f "$CA_FILE" ]; then
	trust "$CA_FILE" "$SECURITY/$WSO2IS_TRUSTSTORE_FILE" "$BOOTSTRAP"
fi
rm -rf "$work"
unset P WSO2_KEYSTORE
log_hazelcast "$WSO2_SERVER_HOME/repository/conf/log4j2.properties"

# On ECS the container turn says when.
waited=0
until [ -z "${WSO2IS_TURN_SECONDS:-}" ] || [ -f "$SHARED/etc/turn" ] || [ "$waited" -ge "$WSO2IS_TURN_SECONDS" ]; do
	[ "$waited" -gt 0 ] || log "waiting for this node's turn"
	sleep 1
	waited=$((waited + 1))
done

# The log of the server goes to the console, the audit log only to a file.
mkdir -p "$WSO2_SERVER_HOME/repository/logs"
tail -n 0 -F "$WSO2_SERVER_HOME/repository/logs/audit.log" 2>/dev/null &
audit=$!

# The entrypoint passes no signal on. Only a JVM that is told to stop leaves the cluster at once: one that is killed
# stays a member until its heartbeat is missed.
stop() {
	log "stopping"
	for process in "${WSO2IS_PROC:-/proc}"/[0-9]*; do
		if [ "$(cat "$process/comm" 2>/dev/null)" = java ]; then
			kill -TERM "${process##*/}" 2>/dev/null || :
		fi
	done
}
trap stop TERM INT

"$WORKING_DIRECTORY/docker-entrypoint.sh" "$@" &
server=$!
# A signal ends wait before the server ends.
while :; do
	status=0
	wait "$server" || status=$?
	kill -0 "$server" 2>/dev/null || break
done
kill "$audit" 2>/dev/null || :
log "the server ended with status $status"
exit "$status"
