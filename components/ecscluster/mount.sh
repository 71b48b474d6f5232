mount_share() {
	local target
	type {programs} >/dev/null 2>&1 || dnf install -y {packages} || return
{user}	cat >>/etc/fstab <<'LINES'
{lines}
LINES
	mkdir -p /etc/systemd/system/ecs.service.d {targets}
	printf '[Unit]\nRequiresMountsFor=%s\n' '{targets}' >/etc/systemd/system/ecs.service.d/share.conf
	systemctl daemon-reload
	for target in {targets}; do
		mount "$target" || return
	done
}
for try in 1 2 3 4 5; do
	mount_share && break
	sed -i '\|/mnt/wso2is/|d' /etc/fstab
	if ((try == 5)); then
		echo "the share cannot be mounted: this instance ends" >&2
		systemctl stop --no-block ecs
		shutdown -h now
		exit 1
	fi
	sleep 15
done
