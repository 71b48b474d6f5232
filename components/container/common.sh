# shellcheck shell=dash
# What the programs in the product's image begin with, after log.sh.
set -eu
ROOT=${WSO2IS_ROOT:-}
SHARED=$ROOT/opt/wso2is

[ -d "${WSO2_SERVER_HOME:-}" ] || die "the image names no product in WSO2_SERVER_HOME; take one that is built as WSO2's are"
[ -x "${JAVA_HOME:-}/bin/keytool" ] || die "the image has no Java in JAVA_HOME"
"$JAVA_HOME/bin/java" --list-modules 2>/dev/null | grep -q '^jdk.compiler@' ||
	die "the image's Java is no JDK of release 11 or newer, which runs programs from their source"
SECURITY=$WSO2_SERVER_HOME/repository/resources/security
BOOTSTRAP=$SHARED/lib/SchemaBootstrap.java
CA_FILE=$SHARED/security/rds-ca.pem
