# shellcheck shell=dash
# Functions that make the product's files ready to start, on every topology. POSIX, since not every image has bash; the
# program that they are part of has the function die, and in JAVA_HOME a JDK.

# log_hazelcast FILE: discovery that fails is a warning of com.hazelcast, which the product logs from ERROR up.
log_hazelcast() {
	[ -f "$1" ] || return 0
	logger=$(sed -nE 's/^logger\.([^.]+)\.name *= *com\.hazelcast *$/\1/p' "$1" | head -n 1)
	if [ -n "$logger" ]; then
		sed -i "s/^logger\.$logger\.level *=.*/logger.$logger.level = INFO/" "$1"
	else
		sed -i 's/^loggers *= */&com-hazelcast, /' "$1"
		printf '\nlogger.com-hazelcast.name = com.hazelcast\nlogger.com-hazelcast.level = INFO\n' >>"$1"
	fi
}

# failed_webapps FILE: the web applications that the server's last start, in its log FILE, went on without: it calls
# itself healthy all the same. Servers that start together on an empty database do that, and a restart repairs them. A
# call without a password tells nothing, since the valve that asks for one stands before the applications.
failed_webapps() {
	[ -f "$1" ] || return 0
	start=$(grep -n 'Starting WSO2 Carbon' "$1" | tail -n 1 | cut -d : -f 1)
	tail -n "+${start:-1}" "$1" |
		sed -n -e '/WSO2 Carbon started in/,$d' -e 's/.*Webapp \(.*\) failed to deploy.*/\1/p' | tr '\n' ' '
}

# check_shared DIRECTORY [COMMAND...]: the server, which COMMAND runs a program as, must be able to write to the directory of a share, and
# its files there must have uid and gid 802. Other nodes could not read them otherwise.
check_shared() {
	shared=$1
	shift
	probe=$("$@" mktemp "$shared/.wso2is.XXXXXX") ||
		die "uid 802 cannot write to the shared directory $shared: on an NFS server, give it the owner 802:802; on an SMB server, let the user of the share write there"
	owner=$("$@" stat -c %u:%g "$probe")
	"$@" rm -f "$probe"
	[ "$owner" = 802:802 ] ||
		die "a file of uid and gid 802 belongs to $owner in the shared directory $shared: let the file server keep uid and gid"
}

# make_keystore WORK FILE TYPE WHAT: WORK has source.p12, and the variable P its password. FILE becomes a keystore of
# the release's own type whose key has the alias of deployment.toml, WORK/certificate.pem its certificate. WHAT names the
# keystore in errors. Of several keys, the one that is called so already signs, and the others stay beside it under their
# names: the product publishes each key of the keystore (JwksEndpoint.java in wso2-extensions/identity-inbound-auth-oauth).
make_keystore() {
	listing=$("$JAVA_HOME/bin/keytool" -list -keystore "$1/source.p12" -storetype PKCS12 -storepass:env P) ||
		die "the keystore in $4 does not open"
	key=$(printf '%s\n' "$listing" | sed -n 's/, .*PrivateKeyEntry.*//p')
	case $key in
	'') die "the keystore in $4 holds no private key" ;;
	*'
'*)
		printf '%s\n' "$key" | grep -qx wso2is ||
			die "the keystore in $4 holds several private keys, and none is called wso2is, which is the one that signs"
		key=
		;;
	esac
	"$JAVA_HOME/bin/keytool" -importkeystore -noprompt -srckeystore "$1/source.p12" -srcstoretype PKCS12 \
		-srcstorepass:env P -destkeystore "$1/made" -deststoretype "$3" -deststorepass:env P \
		${key:+-srcalias "$key" -destalias wso2is}
	"$JAVA_HOME/bin/keytool" -exportcert -rfc -keystore "$1/made" -storepass:env P -alias wso2is \
		-file "$1/certificate.pem"
	mv -f "$1/made" "$2"
}

# make_tls_keystore WORK FILE TYPE NAME: the variable P has its password. FILE becomes a keystore with a key that this node
# makes for itself, WORK/tls.pem its certificate for NAME and localhost. The cluster's own certificate would not do: it
# signs tokens, so that it stays when the cluster's name changes, and a team may bring one for any name.
make_tls_keystore() {
	rm -f "$2"
	"$JAVA_HOME/bin/keytool" -genkeypair -keystore "$2" -storetype "$3" -storepass:env P -keypass:env P -alias wso2is \
		-keyalg RSA -keysize 2048 -validity 3650 -dname CN=localhost -ext "san=dns:$4,dns:localhost"
	"$JAVA_HOME/bin/keytool" -exportcert -rfc -keystore "$2" -storepass:env P -alias wso2is -file "$1/tls.pem"
}

# take_tls_keystore WORK FILE TYPE WHAT: as make_tls_keystore, with the key in the base64 on stdin, which all nodes share.
take_tls_keystore() {
	mkdir "$1/tls"
	base64 -d >"$1/tls/source.p12"
	make_keystore "$1/tls" "$2" "$3" "$4"
	mv "$1/tls/certificate.pem" "$1/tls.pem"
}

# trust PROGRAM TRUSTSTORE PEM...: PROGRAM is SchemaBootstrap.java; keytool would take only the first certificate of a PEM.
trust() {
	program=$1
	shift
	TRUSTSTORE_PASSWORD=wso2carbon "$JAVA_HOME/bin/java" "$program" trust "$@"
}

# close_config HOME: the server writes resolved secrets into the files that it renders here, readable by everybody.
close_config() {
	mkdir -p "$1/repository/conf" "$1/repository/resources/conf"
	chmod o-rwx "$1/repository/conf" "$1/repository/resources/conf"
}
