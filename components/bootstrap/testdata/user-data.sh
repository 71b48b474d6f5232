#!/bin/bash
REGION=eu-west-1
CLUSTER=demo
NODE=node-1
NODE_ADDRESS=10.0.1.10
PUBLIC_NAME=id.example.com
VERSION=7.1.0
JDK=21
ARCHIVE_SOURCE=s3://artifacts/wso2is-7.1.0.zip
ARCHIVE_SHA256=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
DRIVER_SOURCE=s3://artifacts/postgresql-42.7.14.jar
DRIVER_SHA256=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
CA_SOURCE=''
CA_SHA256=''
CA_FILE=''
TRUST_SOURCE=''
TRUST_SHA256=''
TRUST_FILE=''
BUCKET=demo-files
FILES=(
	'nodes/node-1/deployment.toml|cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc|repository/conf/deployment.toml')
PROGRAMS=(
	'programs/d09c8395e0b63ea4f26e061976e29142fccb3ed58ff43c874f3267daa538e211/SchemaBootstrap.java|d09c8395e0b63ea4f26e061976e29142fccb3ed58ff43c874f3267daa538e211|lib/SchemaBootstrap.java'
	'programs/63f016cd02517d34607101d4ed88b096f25fd8907801fe00cd6c9b300a6ba205/alive|63f016cd02517d34607101d4ed88b096f25fd8907801fe00cd6c9b300a6ba205|bin/alive'
	'programs/cd2194a7d530453cac8b4ac698e228ef07c256dd91f9889d66132e9ef85a7863/members|cd2194a7d530453cac8b4ac698e228ef07c256dd91f9889d66132e9ef85a7863|bin/members'
	'programs/825285907b83ff029b3cbdff98d9ed9724bc87c24c26ce6191ee125985c53d8c/ready|825285907b83ff029b3cbdff98d9ed9724bc87c24c26ce6191ee125985c53d8c|bin/ready'
	'programs/38cb318fb2d6927f4f89270540155fdd282b8791e180f97931784e72ee3c067d/secrets|38cb318fb2d6927f4f89270540155fdd282b8791e180f97931784e72ee3c067d|bin/secrets'
	'programs/757eec84fb2e3ba35a3fef33b548509bb093f883bc68626992153bc5166c6898/server.sh|757eec84fb2e3ba35a3fef33b548509bb093f883bc68626992153bc5166c6898|lib/server.sh'
	'programs/a3180409e1f08658045fbdaaf460edf17151127cf78b8fde59c08d59cf5cf9e7/setup|a3180409e1f08658045fbdaaf460edf17151127cf78b8fde59c08d59cf5cf9e7|lib/setup')
FILE_SYSTEM=fs-0123
SHARED=(
	'fsap-1|Userstores|deployment/server/userstores'
	'fsap-2|Tenants|tenants')
MOUNTS='/mnt/wso2is/Userstores /mnt/wso2is/Tenants'
SECRETS=(
	'WSO2_ADMIN_PASSWORD|demo/admin-password|'
	'WSO2_ENDPOINT_PASSWORD|demo/endpoint-password|WSO2_ENDPOINT_PASSWORD_HASH'
	'WSO2_DB_USER_USERNAME|dba/user||username'
	'WSO2_DB_USER_PASSWORD|dba/user||password')
KEYSTORE_SECRET=demo/keystore
KEYSTORE_PASSWORD=demo/keystore-password
KEYSTORE_FILE=wso2is.p12
KEYSTORE_TYPE=PKCS12
TLS_KEYSTORE_FILE=wso2is-tls.p12
TRUSTSTORE_FILE=client-truststore.p12
DATABASES=()
SCHEMA=''
HAZELCAST=5.3.6
HAZELCAST_PORT=5701
HAZELCAST_FIRST=5701
HAZELCAST_LAST=5800
HEAP=2048
JVM_OPTIONS='-Duser.timezone=UTC -Da=b'
LOG_SERVER=/demo/server
LOG_AUDIT=/demo/audit
LOG_ACCESS=/demo/access
LOG_BOOTSTRAP=/demo/boot
LIFECYCLE_HOOK=''
LIFECYCLE_GROUP=''
DRAIN_SECONDS=0
TURN_SECONDS=1020
READY_SECONDS=900
READY_MEMBERS=2

# What every program says and how it gives up; PROGRAM names it.
log() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "$PROGRAM" "$*"; }
die() {
	log "error: $*" >&2
	exit 1
}
# shellcheck shell=bash
# Functions of everything that fetches files: a node's user data, a container's preparation. They follow log.sh.
retry() {
	local attempt
	for attempt in 1 2 3 4 5; do
		"$@" && return
		log "attempt $attempt failed: $1"
		sleep "${WSO2IS_RETRY_INTERVAL:-10}"
	done
	die "gave up after five attempts: $*"
}

metadata() {
	local token
	token=$(curl -sf --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' \
		http://169.254.169.254/latest/api/token)
	curl -sf --retry 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}

# A file from a team's own bucket may come without a checksum; nodes then run what the bucket holds.
matches() { [[ -f $1 ]] && { [[ -z $2 ]] || echo "$2  $1" | sha256sum --check --status; }; }

download() {
	case $1 in
	s3://*) aws s3 cp --only-show-errors "$1" "$2" ;;
	*) curl -fsSL -o "$2" "$1" ;;
	esac
}

# fetch SOURCE SHA256 FILE
fetch() {
	matches "$3" "$2" && return
	mkdir -p "$(dirname "$3")"
	retry download "$1" "$3.part"
	if ! matches "$3.part" "$2"; then
		local sum
		sum=$(sha256sum <"$3.part")
		rm -f "$3.part"
		die "the checksum of $1 is ${sum%% *} instead of $2"
	fi
	mv -f "$3.part" "$3"
}
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
