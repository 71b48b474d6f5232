# Makes this instance an nginx in front of the nodes: every step can be run again, and the first one that fails ends the
# script by name.
set -euo pipefail
ROOT=${WSO2IS_ROOT:-}
BASE=$ROOT/opt/wso2is
DIR=$ROOT$NGINX_DIR
STEP=start
PROGRAM=bootstrap
export AWS_DEFAULT_REGION=$REGION AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8

identify() {
	INSTANCE=$(metadata instance-id)
	log "nginx $INSTANCE in front of $CLUSTER"
}

install_packages() { retry dnf install -y nginx jq openssl amazon-cloudwatch-agent; }

ship_logs() {
	local file=$BASE/etc/cloudwatch-agent.json
	jq -n --arg instance "$INSTANCE" --arg root "$ROOT" --arg group "$LOG_NGINX" '
		def file($path; $stream): {file_path: ($root + $path), log_group_name: $group, log_stream_name: ($instance + "/" + $stream)};
		{agent: {run_as_user: "root"}, logs: {logs_collected: {files: {collect_list: [
			file("/var/log/nginx/error.log"; "nginx-error"), file("/var/log/nginx/access.log"; "nginx-access"),
			file("/var/log/wso2is-bootstrap.log"; "bootstrap")]}}}}' >"$file"
	"$ROOT/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$file"
}

# What changes nginx's files ends with this. With a wrong file, nginx goes on with the files before.
reload() {
	nginx -t -q && { ! systemctl is-active --quiet nginx || systemctl reload nginx; }
}

# take_certificate keeps the files in use if the secret has no certificate that clients would accept, with its key.
take_certificate() {
	local work status=0
	mkdir -p "$ROOT/run/wso2is" "$DIR"
	work=$(umask 077 && mktemp -d "$ROOT/run/wso2is/certificate.XXXXXX")
	(read_certificate "$work" && use_certificate "$work") || status=1
	rm -rf "$work"
	return "$status"
}

# The secret is on no command line and in no file outside of memory.
read_certificate() {
	secret "$CERTIFICATE_SECRET" >"$1/secret" || return
	{ jq -er '[.certificate, .chain // empty] | map(rtrimstr("\n")) | join("\n")' "$1/secret" >"$1/certificate.pem" &&
		jq -er .privateKey "$1/secret" >"$1/key.pem"; } ||
		{ log "the secret $CERTIFICATE_SECRET is no JSON object with certificate and privateKey" && return 1; }
	openssl x509 -in "$1/certificate.pem" -noout -checkend 0 >/dev/null ||
		{ log "the certificate of $CERTIFICATE_SECRET is none, or has ended" && return 1; }
	openssl x509 -in "$1/certificate.pem" -noout -checkhost "$PUBLIC_NAME" | grep -q 'does match' ||
		{ log "the certificate of $CERTIFICATE_SECRET is not for $PUBLIC_NAME" && return 1; }
	[[ $(openssl x509 -in "$1/certificate.pem" -noout -pubkey) == "$(openssl pkey -in "$1/key.pem" -pubout)" ]] ||
		{ log "the private key of $CERTIFICATE_SECRET is not that of its certificate" && return 1; }
}

use_certificate() {
	! cmp -s "$1/certificate.pem" "$DIR/certificate.pem" || ! cmp -s "$1/key.pem" "$DIR/key.pem" || return 0
	install -m 0600 "$1/key.pem" "$DIR/key.pem"
	install -m 0644 "$1/certificate.pem" "$DIR/certificate.pem"
	[[ ! -f $DIR/nodes.conf ]] || reload
}

# list_nodes prints a target's id and address on each line: those that are healthy, or else those that are not. So a failed health
# check of all nodes ends no service. A deregistered node gets no new request.
list_nodes() {
	local targets ids
	targets=$(aws elbv2 describe-target-health --region "$REGION" --target-group-arn "$TARGET_GROUP" \
		--query 'TargetHealthDescriptions[].[Target.Id,TargetHealth.State]' --output text) || return
	ids=$(awk '$2 == "healthy" {print $1}' <<<"$targets")
	ids=${ids:-$(awk '$2 == "unhealthy" || $2 == "initial" {print $1}' <<<"$targets")}
	if [[ $ids == i-* ]]; then
		# shellcheck disable=SC2086
		ids=$(aws ec2 describe-instances --region "$REGION" --instance-ids $ids \
			--query 'Reservations[].Instances[].[InstanceId,PrivateIpAddress]' --output text) || return
	else
		ids=$(awk '{print $1, $1}' <<<"$ids")
	fi
	awk '$2 ~ /^[0-9.]+$/ {print $1, $2}' <<<"$ids" | sort -u
}

# upstreams turns the lines of list_nodes into nginx's configuration. A cookie names a node by a part of its id's checksum, so that every
# nginx knows the name and no client learns an id.
# shellcheck disable=SC2016
upstreams() {
	local id address name other names=() servers=() server
	while read -r id address; do
		name=$(printf '%s' "$id" | sha256sum)
		names+=("${name:0:16}")
		servers+=("$address:$NODE_PORT")
	done
	server="max_fails=2 fail_timeout=${FAIL_SECONDS}s"
	upstream wso2is
	[[ -n $COOKIE ]] || return 0
	for name in "${names[@]}"; do
		upstream "wso2is-$name" "$name"
	done
	printf 'map $cookie_%s $wso2is_upstream {\ndefault wso2is;\n' "$COOKIE"
	for name in "${names[@]}"; do
		printf '"%s" wso2is-%s;\n' "$name" "$name"
	done
	printf '}\nmap $upstream_addr $wso2is_node {\ndefault "";\n'
	for other in "${!names[@]}"; do
		printf '"~(^|[ ,:])%s$" "%s";\n' "${servers[$other]//./\\.}" "${names[$other]}"
	done
	printf '}\n'
}

# upstream NAME [NODE] prints an upstream with all servers, and with the others as backup of the node.
upstream() {
	local i
	printf 'upstream %s {\nzone %s 128k;\n' "$1" "$1"
	for i in "${!names[@]}"; do
		printf 'server %s %s%s;\n' "${servers[$i]}" "$server" "$([[ -z ${2:-} || ${names[$i]} == "$2" ]] || printf ' backup')"
	done
	((${#names[@]})) || printf 'server 127.0.0.1:%s down;\n' "$NODE_PORT"
	printf 'keepalive 32;\nkeepalive_timeout %ss;\n}\n' "$IDLE_SECONDS"
}

# follow_nodes writes nodes.conf. Without an answer of AWS, nginx goes on with the nodes that it knows.
follow_nodes() {
	local listed file=$DIR/nodes.conf
	listed=$(list_nodes) || { log "AWS does not tell the nodes" && return 1; }
	[[ -n $listed || ! -f $file ]] || return 0
	{ [[ -z $listed ]] || printf '%s\n' "$listed"; } | upstreams >"$file.new"
	! cmp -s "$file.new" "$file" || return 0
	log "nodes: $(tr '\n' ' ' <<<"$listed")"
	mv -f "$file.new" "$file"
	reload
}

# follow goes on in the background.
follow() {
	local last=$SECONDS
	PROGRAM=nginx
	while sleep "$POLL_SECONDS"; do
		follow_nodes
		if ((SECONDS - last > 3600)); then
			last=$SECONDS
			take_certificate
		fi
	done
}

write_files() {
	mkdir -p "$DIR" "$BASE/bin" "$BASE/etc" "$ROOT/etc/systemd/system"
	printf '%s' "$NODES_CERTIFICATE" >"$DIR/$NODES_FILE"
	printf '%s' "$CONFIG" >"$ROOT/etc/nginx/nginx.conf"
	{
		echo '#!/bin/bash'
		echo 'set -uo pipefail'
		declare -p ROOT DIR REGION PUBLIC_NAME CERTIFICATE_SECRET TARGET_GROUP NODE_PORT POLL_SECONDS COOKIE IDLE_SECONDS FAIL_SECONDS
		declare -f log die secret reload take_certificate read_certificate use_certificate list_nodes upstreams upstream follow_nodes follow
		echo follow
	} >"$BASE/bin/follow"
	chmod 0755 "$BASE/bin/follow"
	printf '%s\n' '[Unit]' 'Description=Tells nginx its nodes and its certificate' 'After=nginx.service' '[Service]' \
		"ExecStart=$BASE/bin/follow" 'Restart=always' 'RestartSec=5' '[Install]' 'WantedBy=multi-user.target' \
		>"$ROOT/etc/systemd/system/wso2is-follow.service"
}

start() {
	nginx -t -q || die "nginx refuses its configuration"
	systemctl daemon-reload
	systemctl enable --now nginx wso2is-follow.service
	retry curl -sf "http://127.0.0.1$HEALTH_PATH"
}

mkdir -p "$ROOT/var/log"
exec > >(tee -a "$ROOT/var/log/wso2is-bootstrap.log") 2>&1
trap finish EXIT
step "find out which instance this is" identify
step "install packages" install_packages
step "write the files" write_files
step "ship logs to CloudWatch" ship_logs
step "take the certificate" take_certificate
step "find the nodes" follow_nodes
step "start nginx" start
