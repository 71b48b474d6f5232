# Makes this instance a node: every step can be run again, and the first one that fails ends the script by name.
set -euo pipefail
ROOT=${WSO2IS_ROOT:-}
BASE=$ROOT/opt/wso2is
IS_HOME=$BASE/wso2is-$VERSION
SECURITY=$IS_HOME/repository/resources/security
TRUSTSTORE=$SECURITY/$TRUSTSTORE_FILE
STEP=start

log() { printf '%s bootstrap: %s\n' "$(date -u +%FT%TZ)" "$*"; }
die() {
	log "error: $*" >&2
	exit 1
}

finish() {
	local status=$?
	if ((status == 0)); then
		log "done"
	else
		log "failed in the step: $STEP (status $status)"
	fi
	complete_launch "$status" || log "could not complete the lifecycle action"
	exit "$status"
}

step() {
	STEP=$1
	log "$STEP"
	shift
	"$@"
}

retry() {
	local attempt
	for attempt in 1 2 3 4 5; do
		"$@" && return
		log "attempt $attempt failed: $1"
		sleep "${WSO2IS_RETRY_INTERVAL:-10}"
	done
	die "gave up: $*"
}

metadata() {
	local token
	token=$(curl -sf --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' \
		http://169.254.169.254/latest/api/token)
	curl -sf --retry 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}

# Values leave this function only into variables, pipes and the environment of one process.
secret() {
	local value
	value=$(aws secretsmanager get-secret-value --region "$REGION" --secret-id "$1" \
		--query SecretString --output text) || value=
	[[ -n $value && $value != None ]] ||
		die "cannot read the secret $1: it must have a value that the instance's role may read"
	printf '%s' "$value"
}

matches() { [[ -f $1 ]] && echo "$2  $1" | sha256sum --check --status; }

# fetch SOURCE SHA256 FILE
fetch() {
	matches "$3" "$2" && return
	mkdir -p "$(dirname "$3")"
	case $1 in
	s3://*) aws s3 cp --only-show-errors "$1" "$3.part" ;;
	*) curl -fsSL --retry 5 -o "$3.part" "$1" ;;
	esac || die "cannot fetch $1"
	if ! matches "$3.part" "$2"; then
		local sum
		sum=$(sha256sum <"$3.part")
		rm -f "$3.part"
		die "the checksum of $1 is ${sum%% *} instead of $2"
	fi
	mv -f "$3.part" "$3"
}

identify() {
	INSTANCE=$(metadata instance-id)
	NODE=${NODE:-$INSTANCE}
	NODE_ADDRESS=${NODE_ADDRESS:-$(metadata local-ipv4)}
	mkdir -p "$BASE"/{bin,dist,etc,lib}
	declare -p REGION CLUSTER NODE NODE_ADDRESS HAZELCAST_PORT HAZELCAST_FIRST HAZELCAST_LAST SECRETS >"$BASE/etc/node.conf"
	log "node $NODE at $NODE_ADDRESS"
}

install_packages() {
	retry dnf install -y "java-$JDK-amazon-corretto-devel" amazon-efs-utils amazon-cloudwatch-agent unzip jq tar
	local home
	for home in "$ROOT/usr/lib/jvm/java-$JDK-amazon-corretto"*; do
		[[ -x $home/bin/keytool ]] && JAVA_HOME=$home
	done
	[[ -n ${JAVA_HOME:-} ]] || die "no JDK $JDK under /usr/lib/jvm"
}

ship_logs() {
	local file=$BASE/etc/cloudwatch-agent.json
	jq -n --arg node "$NODE" --arg logs "$IS_HOME/repository/logs" --arg root "$ROOT" --arg server "$LOG_SERVER" \
		--arg audit "$LOG_AUDIT" --arg access "$LOG_ACCESS" --arg bootstrap "$LOG_BOOTSTRAP" '
		def file($path; $group): {file_path: $path, log_group_name: $group, log_stream_name: $node};
		{agent: {run_as_user: "root"}, logs: {logs_collected: {files: {collect_list: [
			file($logs + "/wso2carbon.log"; $server) + {multi_line_start_pattern: "^(TID: )?\\["},
			file($logs + "/audit.log"; $audit),
			file($logs + "/http_access_*.log"; $access),
			file($root + "/var/log/wso2is-bootstrap.log"; $bootstrap)
		]}}}}' >"$file"
	"$ROOT/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$file"
}

create_user() {
	getent group wso2carbon >/dev/null || groupadd --gid 802 wso2carbon
	id -u wso2carbon >/dev/null 2>&1 ||
		useradd --uid 802 --gid 802 --no-create-home --shell /sbin/nologin wso2carbon
}

fetch_programs() {
	local entry key sum path
	for entry in "${PROGRAMS[@]}"; do
		IFS='|' read -r key sum path <<<"$entry"
		fetch "s3://$BUCKET/$key" "$sum" "$BASE/$path"
		chmod 0755 "$BASE/$path"
	done
	if [[ -n $CA_SOURCE ]]; then
		fetch "$CA_SOURCE" "$CA_SHA256" "$ROOT$CA_FILE"
	fi
}

install_product() {
	fetch "$ARCHIVE_SOURCE" "$ARCHIVE_SHA256" "$BASE/dist/${ARCHIVE_SOURCE##*/}"
	fetch "$DRIVER_SOURCE" "$DRIVER_SHA256" "$BASE/dist/${DRIVER_SOURCE##*/}"
	if [[ ! -d $IS_HOME ]]; then
		rm -rf "$BASE/unpacked"
		unzip -q "$BASE/dist/${ARCHIVE_SOURCE##*/}" -d "$BASE/unpacked"
		[[ -d $BASE/unpacked/wso2is-$VERSION ]] || die "$ARCHIVE_SOURCE has no directory wso2is-$VERSION"
		mv "$BASE/unpacked/wso2is-$VERSION" "$IS_HOME"
	fi
	ln -sfn "$IS_HOME" "$BASE/current"
	cp "$BASE/dist/${DRIVER_SOURCE##*/}" "$IS_HOME/repository/components/lib/"
}

mount_shared() {
	local entry access_point name path target line
	for entry in "${SHARED[@]}"; do
		IFS='|' read -r access_point name path <<<"$entry"
		target=$ROOT/mnt/wso2is/$name
		line="$FILE_SYSTEM:/ $target efs _netdev,nofail,noresvport,tls,iam,accesspoint=$access_point 0 0"
		mkdir -p "$target"
		grep -qxF "$line" "$ROOT/etc/fstab" || echo "$line" >>"$ROOT/etc/fstab"
		mountpoint -q "$target" || retry mount "$target"
		link_shared "$IS_HOME/repository/$path" "$target"
	done
}

# What the product ships moves to the file system once; what is there already is newer and stays.
link_shared() {
	[[ -L $1 ]] && return
	if [[ -d $1 ]]; then
		tar -C "$1" -cf - . | tar -C "$2" --skip-old-files --no-same-owner --no-overwrite-dir -xf -
		mv "$1" "$1.shipped"
	fi
	ln -s "$2" "$1"
}

# Nodes reach the cluster's own name on themselves instead of going out through the load balancer.
write_hosts() {
	local hosts=$ROOT/etc/hosts
	sed -i '/^# wso2is begin$/,/^# wso2is end$/d' "$hosts"
	printf '# wso2is begin\n%s %s\n# wso2is end\n' "$NODE_ADDRESS" "$PUBLIC_NAME" >>"$hosts"
}

fetch_config() {
	local entry key sum path
	for entry in "${FILES[@]}"; do
		IFS='|' read -r key sum path <<<"$entry"
		fetch "s3://$BUCKET/$key" "$sum" "$IS_HOME/$path"
	done
	printf '%s' "$SCHEMA" >"$BASE/etc/schema.properties"
}

# Discovery that fails is a warning of com.hazelcast, which the product logs from ERROR up.
log_hazelcast() {
	local file=$IS_HOME/repository/conf/log4j2.properties id
	[[ -f $file ]] || return 0
	id=$(sed -nE 's/^logger\.([^.]+)\.name *= *com\.hazelcast *$/\1/p' "$file" | head -n 1)
	if [[ -n $id ]]; then
		sed -i "s/^logger\.$id\.level *=.*/logger.$id.level = INFO/" "$file"
	else
		sed -i 's/^loggers *= */&com-hazelcast, /' "$file"
		printf '\nlogger.com-hazelcast.name = com.hazelcast\nlogger.com-hazelcast.level = INFO\n' >>"$file"
	fi
}

java_trust() {
	TRUSTSTORE_PASSWORD=wso2carbon "$JAVA_HOME/bin/java" "$BASE/lib/SchemaBootstrap.java" trust "$1" \
		"$TRUSTSTORE"
}

# The secret is a PKCS#12 file; the release may want a JKS one. Its only key gets the alias of deployment.toml.
install_keystore() {
	mkdir -p "$ROOT/run/wso2is"
	local work alias P
	work=$(umask 077 && mktemp -d "$ROOT/run/wso2is/keystore.XXXXXX")
	P=$(secret "$KEYSTORE_PASSWORD")
	export P
	secret "$KEYSTORE_SECRET" | base64 -d >"$work/source.p12"
	alias=$("$JAVA_HOME/bin/keytool" -list -keystore "$work/source.p12" -storetype PKCS12 -storepass:env P |
		sed -n 's/, .*PrivateKeyEntry.*//p') || die "the keystore in $KEYSTORE_SECRET does not open"
	[[ -n $alias && $alias != *$'\n'* ]] || die "the keystore in $KEYSTORE_SECRET must hold exactly one private key"
	"$JAVA_HOME/bin/keytool" -importkeystore -noprompt -srckeystore "$work/source.p12" -srcstoretype PKCS12 \
		-srcstorepass:env P -srcalias "$alias" -destkeystore "$work/$KEYSTORE_FILE" \
		-deststoretype "$KEYSTORE_TYPE" -deststorepass:env P -destalias wso2is
	"$JAVA_HOME/bin/keytool" -exportcert -rfc -keystore "$work/$KEYSTORE_FILE" -storepass:env P -alias wso2is \
		-file "$work/certificate.pem"
	mv -f "$work/$KEYSTORE_FILE" "$SECURITY/$KEYSTORE_FILE"
	java_trust "$work/certificate.pem"
	if [[ -n $CA_SOURCE ]]; then
		java_trust "$ROOT$CA_FILE"
	fi
	rm -rf "$work"
	unset P
}

own_files() {
	chown -hR wso2carbon:wso2carbon "$IS_HOME"
	chmod 0640 "$SECURITY/$KEYSTORE_FILE" "$IS_HOME/repository/conf/deployment.toml"
}

make_schema() (
	for entry in "${DATABASES[@]}"; do
		IFS='|' read -r key master password <<<"$entry"
		account=$(secret "$master")
		user=$(printf '%s' "$account" | jq -er .username)
		export "SCHEMA_${key^^}_MASTER_USERNAME=$user"
		account=$(printf '%s' "$account" | jq -er .password)
		export "SCHEMA_${key^^}_MASTER_PASSWORD=$account"
		password=$(secret "$password")
		export "SCHEMA_${key^^}_PASSWORD=$password"
	done
	# Drivers that read no PEM file verify the server with the JVM's trust store.
	runuser -u wso2carbon -- "$JAVA_HOME/bin/java" -cp "$BASE/dist/${DRIVER_SOURCE##*/}" \
		"-Djavax.net.ssl.trustStore=$TRUSTSTORE" -Djavax.net.ssl.trustStorePassword=wso2carbon \
		"$BASE/lib/SchemaBootstrap.java" "$BASE/etc/schema.properties"
)

write_units() {
	local units=$ROOT/etc/systemd/system
	mkdir -p "$units"
	printf '%s\n' "JAVA_HOME=$JAVA_HOME" "CARBON_HOME=$BASE/current" \
		"JVM_MEM_OPTS=-Xms${HEAP}m -Xmx${HEAP}m" "JAVA_OPTS=$JVM_OPTIONS" >"$BASE/etc/server.conf"
	# wso2server.sh exits 0 whatever became of its JVM, so a restart cannot depend on the status. On a stop every
	# process gets SIGTERM, the JVM leaves the cluster, and systemd waits for it.
	cat >"$units/wso2is.service" <<-UNIT
		[Unit]
		Description=WSO2 Identity Server $VERSION
		Wants=network-online.target
		After=network-online.target remote-fs.target
		${MOUNTS:+RequiresMountsFor=$MOUNTS}

		[Service]
		User=wso2carbon
		Group=wso2carbon
		WorkingDirectory=$BASE/current
		EnvironmentFile=$BASE/etc/server.conf
		EnvironmentFile=-$ROOT/run/wso2is/env
		ExecStartPre=+$BASE/bin/secrets
		ExecStart=$BASE/current/bin/wso2server.sh
		ExecStop=-$BASE/current/bin/wso2server.sh stop
		SuccessExitStatus=143
		TimeoutStopSec=120
		Restart=always
		RestartSec=15
		LimitNOFILE=65536
		LimitNPROC=20000

		[Install]
		WantedBy=multi-user.target
	UNIT
	cat >"$units/wso2is-members.service" <<-UNIT
		[Unit]
		Description=Publishes the number of connected cluster members

		[Service]
		Type=oneshot
		ExecStart=$BASE/bin/members publish
	UNIT
	cat >"$units/wso2is-members.timer" <<-UNIT
		[Unit]
		Description=Publishes the number of connected cluster members each minute

		[Timer]
		OnCalendar=minutely
		AccuracySec=1s

		[Install]
		WantedBy=timers.target
	UNIT
	systemctl daemon-reload
}

start_server() {
	systemctl enable --now wso2is.service
	if [[ $HAZELCAST_PORT != 0 ]]; then
		systemctl enable --now wso2is-members.timer
	fi
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
step "find out who this node is" identify
step "install packages" install_packages
step "ship logs" ship_logs
step "create the user wso2carbon" create_user
step "fetch the node's programs" fetch_programs
step "install the product and the database driver" install_product
step "mount the shared directories" mount_shared
step "name this node in /etc/hosts" write_hosts
step "fetch the configuration" fetch_config
step "log what Hazelcast does" log_hazelcast
step "install the keystore" install_keystore
step "hand the files to wso2carbon" own_files
step "make the database schema" make_schema
step "write the service" write_units
step "start the server" start_server
step "wait until the node is ready" "$BASE/bin/ready" "$READY_SECONDS" "$READY_MEMBERS"
