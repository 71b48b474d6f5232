# Waits until it is this pod's turn to start its server: at once where another one serves already, and otherwise only
# where this is the pod of its rollout with the lowest address. Servers that start together on an empty database insert
# the same rows, and each forms a cluster of its own; the others start once the first one serves. It only reads the
# endpoints of the pods' service.
set -euo pipefail
ACCOUNT=${WSO2IS_ROOT:-}/var/run/secrets/kubernetes.io/serviceaccount
log() { printf '%s turn: %s\n' "$(date -u +%FT%TZ)" "$*"; }

endpoints() {
	# Kubernetes writes on many lines for curl.
	curl -sf --max-time 10 --cacert "$ACCOUNT/ca.crt" -H "Authorization: Bearer $(cat "$ACCOUNT/token")" \
		"https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$NAMESPACE/endpoints/$SERVICE" |
		tr -d ' \n\t'
}

deadline=$((SECONDS + WAIT_SECONDS))
while ((SECONDS < deadline)); do
	if ! found=$(endpoints); then
		log "Kubernetes does not say who serves; asking again"
	elif [[ $found == *'"addresses":['* ]]; then
		log "another node serves"
		exit
	else
		# Nobody is ready, so every address is that of a pod that waits, starts or cannot start. The pods of an earlier
		# rollout are not waited for: this one may be what repairs them. A pod is called after its rollout.
		lowest=$(grep -F "\"name\":\"${POD%-*}-" <<<"${found//'{"ip":'/$'\n{"ip":'}" | grep -oE '"ip":"[0-9.]+"' |
			cut -d '"' -f 4 | sort -V | head -n 1) || lowest=
		if [[ $lowest == "$NODE_IP" ]]; then
			log "nobody serves yet, and this pod is the first"
			exit
		fi
		log "waiting for ${lowest:-the address of this pod to be known}"
	fi
	sleep "${WSO2IS_TURN_INTERVAL:-5}"
done
# Better two that start together than none.
log "nobody serves after $WAIT_SECONDS seconds; starting"
