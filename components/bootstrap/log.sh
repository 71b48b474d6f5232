# What every program says and how it gives up; PROGRAM names it.
log() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "$PROGRAM" "$*"; }
die() {
	log "error: $*" >&2
	exit 1
}
