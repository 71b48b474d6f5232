# Makes the logical databases in the product's image, once. It follows common.sh and server.sh.

truststore=$(mktemp)
cp "$SECURITY/$WSO2IS_TRUSTSTORE_FILE" "$truststore"
if [ -f "$CA_FILE" ]; then
	trust "$BOOTSTRAP" "$truststore" "$CA_FILE"
fi
lib=repository/components/lib
exec "$JAVA_HOME/bin/java" -cp "$ROOT/home/wso2carbon/wso2-artifact-volume/$lib/*:$WSO2_SERVER_HOME/$lib/*" \
	"-Djavax.net.ssl.trustStore=$truststore" -Djavax.net.ssl.trustStorePassword=wso2carbon \
	"$BOOTSTRAP" "$SHARED/etc/schema.properties"
