# shellcheck shell=bash
# Functions of instances that mount an SMB share, as the user of a secret.

# share_user REGION SECRET: writes the user to memory, as mount.cifs reads it. The value goes through variables and pipes only: never to a
# disk, a log or a command line.
share_user() {
	local file=${WSO2IS_ROOT:-}/run/wso2is/share value try
	umask 077
	mkdir -p "${file%/*}"
	for try in 1 2 3 4 5; do
		value=$(aws secretsmanager get-secret-value --region "$1" --secret-id "$2" --query SecretString --output text) && break
		if ((try == 5)); then
			echo "cannot read the secret $2: it must have a value that the instance's role may read" >&2
			return 1
		fi
		sleep "${WSO2IS_RETRY_INTERVAL:-10}"
	done
	if ! printf '%s' "$value" | jq -er '[.username, .password] |
		if all(.[]; type == "string" and length > 0 and (test("[\r\n]") | not)) then "username=\(.[0])\npassword=\(.[1])" else empty end' \
		>"$file.new" 2>/dev/null; then
		rm -f "$file.new"
		echo "the secret $2 must be JSON with a username and a password of the share, each of one line" >&2
		return 1
	fi
	mv -f "$file.new" "$file"
}

# keep_share_user REGION SECRET: the mounts of fstab need the user again after a restart, when the memory is empty. A password that changes
# is read at the next mount.
keep_share_user() {
	local program=${WSO2IS_ROOT:-}/usr/local/sbin/wso2is-share unit=${WSO2IS_ROOT:-}/etc/systemd/system/wso2is-share.service
	mkdir -p "${program%/*}" "${unit%/*}"
	{
		printf '#!/bin/bash\nset -euo pipefail\n'
		declare -f share_user
		printf 'share_user %q %q\n' "$1" "$2"
	} >"$program"
	chmod 0755 "$program"
	cat >"$unit" <<-UNIT
		[Unit]
		Description=Reads the user of the share
		Wants=network-online.target
		After=network-online.target

		[Service]
		Type=oneshot
		ExecStart=$program
	UNIT
	systemctl daemon-reload
	"$program"
}
