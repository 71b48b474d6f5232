# Begins the server's container on Fargate, as root: a task there can have no extraHosts, and only root can write the file
# that names hosts (containers-roadmap #886: it can be written from platform version 1.4.0 on). $1 is the program that
# goes on as the server's user, and never as root.
set -eu
PROGRAM=name
ROOT=${WSO2IS_ROOT:-}
printf '127.0.0.1 %s\n' "$WSO2IS_NAME" >>"$ROOT/etc/hosts" ||
	log "cannot name $WSO2IS_NAME in /etc/hosts: what the server asks of its own name goes out to the load balancer"
account=$(sed -n "s/^\([^:]*\):[^:]*:$WSO2IS_USER:.*/\1/p" /etc/passwd)
HOME=$(sed -n "s/^[^:]*:[^:]*:$WSO2IS_USER:[^:]*:[^:]*:\([^:]*\):.*/\1/p" /etc/passwd)
export HOME="${HOME:-/tmp}"
# BusyBox, in WSO2's images of Alpine, has a setpriv that cannot change the user, and a su that replaces itself.
if setpriv --reuid="$WSO2IS_USER" --regid="$WSO2IS_USER" --clear-groups true 2>/dev/null; then
	exec setpriv --reuid="$WSO2IS_USER" --regid="$WSO2IS_USER" --clear-groups --inh-caps=-all --no-new-privs sh -c "$1" serve
fi
[ -n "$account" ] || die "the image has no user $WSO2IS_USER, and no setpriv that could do without"
exec su -p -s /bin/sh "$account" -c "$1"
