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
