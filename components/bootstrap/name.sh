# shellcheck shell=bash
# Makes https:// and the cluster's name lead to the server of its own host: the server builds URLs of port 443 and listens
# on 9443. Only what starts on this host is redirected; from outside, 443 stays closed.

# redirect_own_name adds the rule now and at every boot. The chain is Docker's too, so no rule but this one is touched.
redirect_own_name() {
	local unit=${ROOT:-}/etc/systemd/system/wso2is-name.service rule
	rule='OUTPUT -p tcp -m addrtype --dst-type LOCAL --dport 443 -j REDIRECT --to-ports 9443'
	mkdir -p "${unit%/*}"
	cat >"$unit" <<-UNIT
		[Unit]
		Description=Redirects this host's own calls of its port 443 to the server

		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/usr/sbin/iptables -w -t nat -A $rule
		ExecStop=/usr/sbin/iptables -w -t nat -D $rule

		[Install]
		WantedBy=multi-user.target
	UNIT
	systemctl daemon-reload
	systemctl enable --now wso2is-name.service
}
