# Runs the server in the product's image, with the image's own entrypoint. It follows common.sh and server.sh.

if [ -z "${NODE_IP:-}" ] && [ -f "$SHARED/etc/node-ip" ]; then
	NODE_IP=$(cat "$SHARED/etc/node-ip")
fi
export NODE_IP="${NODE_IP:-}"
hash=$(printf '%s' "$WSO2_ENDPOINT_PASSWORD" | sha256sum)
export WSO2_ENDPOINT_PASSWORD_HASH="${hash%% *}"
# The image's own options stay: they say where Java's preferences are.
export JAVA_OPTS="${JAVA_OPTS:-} ${WSO2IS_JVM_OPTIONS:-}"
for directory in ${WSO2IS_SHARES:-}; do
	check_shared "$directory"
done

work=$(umask 077 && mktemp -d)
export P="$WSO2_KEYSTORE_PASSWORD"
printf '%s' "$WSO2_KEYSTORE" | base64 -d >"$work/source.p12" || die "WSO2_KEYSTORE is not base64"
make_keystore "$work" "$SECURITY/$WSO2IS_KEYSTORE_FILE" "$WSO2IS_KEYSTORE_TYPE" "WSO2_KEYSTORE"
if [ -n "${WSO2_TLS_KEYSTORE:-}" ]; then
	printf '%s' "$WSO2_TLS_KEYSTORE" | take_tls_keystore "$work" "$SECURITY/$WSO2IS_TLS_KEYSTORE_FILE" "$WSO2IS_KEYSTORE_TYPE" TLS
else
	make_tls_keystore "$work" "$SECURITY/$WSO2IS_TLS_KEYSTORE_FILE" "$WSO2IS_KEYSTORE_TYPE" "$WSO2IS_NAME"
fi
for pem in "$SHARED"/security/*.pem; do
	[ ! -f "$pem" ] || cp "$pem" "$work/"
done
trust "$BOOTSTRAP" "$SECURITY/$WSO2IS_TRUSTSTORE_FILE" "$work"/*.pem
rm -rf "$work"
unset P WSO2_KEYSTORE WSO2_TLS_KEYSTORE
log_hazelcast "$WSO2_SERVER_HOME/repository/conf/log4j2.properties"
umask 027
close_config "$WSO2_SERVER_HOME"

# The cluster's name is this container itself, and URLs have port 443. A Tomcat connector of its own would not do: 5.11.0
# knows no custom_transport, and up to 7.0.0 a custom one comes first, so that the server takes its port for its own.
forward() {
	trap 'kill "$java" 2>/dev/null; exit' TERM
	while :; do
		"$JAVA_HOME/bin/java" -Xmx32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$1" SchemaBootstrap forward "$2" 9443 &
		java=$!
		wait "$java" || log "the port $2 is not forwarded to the server; trying again"
		sleep 5 &
		wait "$!"
	done
}
forward=
if [ -n "${WSO2IS_FORWARD:-}" ]; then
	classes=$(mktemp -d)
	"$JAVA_HOME/bin/javac" -d "$classes" "$BOOTSTRAP"
	forward "$classes" "$WSO2IS_FORWARD" &
	forward=$!
fi

# On ECS the container turn says when.
waited=0
until [ -z "${WSO2IS_TURN_SECONDS:-}" ] || [ -f "$SHARED/turn/due" ] || [ "$waited" -ge "$WSO2IS_TURN_SECONDS" ]; do
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

# A server that has started without one of its web applications is repaired by a restart, which the task or the pod gets
# when this one ends.
watch() {
	until grep -q 'WSO2 Carbon started in' "$1" 2>/dev/null; do sleep "${WSO2IS_WATCH_INTERVAL:-5}"; done
	failed=$(failed_webapps "$1")
	[ -z "$failed" ] || { log "error: the server has started without $failed" && stop; }
}
watch "$WSO2_SERVER_HOME/repository/logs/wso2carbon.log" &
watcher=$!
# A signal ends wait before the server ends.
while :; do
	status=0
	wait "$server" || status=$?
	kill -0 "$server" 2>/dev/null || break
done
kill "$audit" "$watcher" ${forward:+"$forward"} 2>/dev/null || :
log "the server ended with status $status"
exit "$status"
