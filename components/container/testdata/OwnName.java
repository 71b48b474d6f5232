import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.File;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** Serves TLS on 9443 with a keystore as Tomcat does, and asks itself by the name NAME, with the JVM's own checks. */
public class OwnName {
    public static void main(String[] args) throws Exception {
        char[] password = System.getenv("WSO2_KEYSTORE_PASSWORD").toCharArray();
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(KeyStore.getInstance(new File(args[1]), password), password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        HttpsServer server = HttpsServer.create(new InetSocketAddress(9443), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        byte[] answer = new byte[1 << 20];
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        Exception last = null;
        for (int i = 0; i < 100; i++) {
            try (InputStream in = new URL("https://" + args[0] + "/").openStream()) {
                System.out.println("own name: " + in.readAllBytes().length + " bytes for " + System.getProperty("user.name"));
                System.exit(0);
            } catch (Exception e) {
                last = e;
                Thread.sleep(100);
            }
        }
        System.out.println("own name: " + last);
        System.exit(0);
    }
}
