import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.naming.Context;
import javax.naming.NamingException;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;
import javax.naming.directory.SearchControls;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * Stands in for WSO2 Identity Server where its archive is not at hand: {@code java StandIn NAME VERSION CARBON_HOME}.
 *
 * <p>It reads {@code repository/conf/deployment.toml} as the product's mapper and its membership schemes "wka", "aws", "aws-ecs" and "kubernetes" do, and starts the
 * Hazelcast of the release with it. It answers the health check from its database connections, names the node on a page, and
 * keeps sessions in the database with the cache of the stack's caching scenario beside it. It has nothing else
 * of the product, and says so in all that it prints and answers.
 */
public class StandIn {
    private static final long BEGAN = System.nanoTime();

    private final String node;
    private final String version;
    private final Toml toml;
    private final HazelcastInstance hazelcast;
    /** Tells the other members to clear a session from their cache. */
    private final Consumer<String> invalidations;
    private final List<Source> sources = new ArrayList<>();
    /** The directory of the users, or null if they are in the database. */
    private final Directory directory;
    /** The sessions in the cache, with the time of their end. */
    private final ConcurrentMap<String, Long> sessions;
    /** The life of an entry in milliseconds, or 0 if the cache is off. */
    private final long lifetime;

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            // So that its classes are loaded once, and archived for the servers.
            Config config = new Config().setProperty("hazelcast.logging.type", "jdk");
            config.getNetworkConfig().getJoin().getMulticastConfig().setEnabled(false);
            config.getNetworkConfig().getJoin().getTcpIpConfig().setEnabled(true).addMember("127.0.0.1");
            Hazelcast.newHazelcastInstance(config).shutdown();
            return;
        }
        new StandIn(args[0], args[1], Path.of(args[2])).serve(Path.of(args[2]));
    }

    StandIn(String node, String version, Path home) throws Exception {
        this.node = node;
        this.version = version;
        toml = Toml.read(home.resolve("repository/conf/deployment.toml"));
        say("Starting WSO2 Carbon... as a stand-in of WSO2 Identity Server " + version + " on " + node);
        for (String section : toml.sections("database", "datasource")) {
            sources.add(new Source(section.substring(section.lastIndexOf('.') + 1), toml.section(section)));
        }
        if (sources.stream().noneMatch(s -> s.name.equals("identity_db"))) {
            throw new IOException("deployment.toml has no [database.identity_db]");
        }
        Map<String, String> store = toml.section("user_store.properties");
        directory = store.containsKey("ConnectionURL") ? new Directory(store) : null;
        hazelcast = toml.section("clustering").isEmpty() ? null : Hazelcast.newHazelcastInstance(clustering());
        lifetime = lifetime();
        // One map of all members: what the kernel's caches are if they are not forced to be local.
        boolean distributed = hazelcast != null && "false".equals(toml.section("server").get("force_local_cache"));
        sessions = distributed ? hazelcast.getMap("oauth_cache") : new ConcurrentHashMap<>();
        // The product sends invalidations for local caches only, and only in a cluster.
        if (hazelcast == null || distributed) {
            invalidations = id -> { };
            return;
        }
        // The types have other packages in Hazelcast 3, and are therefore not named.
        var topic = hazelcast.<String>getTopic("cache.invalidation");
        topic.addMessageListener(message -> sessions.remove(message.getMessageObject()));
        invalidations = topic::publish;
    }

    /** What the kernel's HazelcastClusteringAgent and its membership schemes make of the keys. */
    private Config clustering() throws IOException {
        Map<String, String> keys = toml.section("clustering");
        String scheme = keys.get("membership_scheme");
        // The agent's own properties; those of [hazelcast] are loaded over them.
        Properties properties = new Properties();
        properties.setProperty("hazelcast.max.no.heartbeat.seconds", "600");
        properties.setProperty("hazelcast.max.no.master.confirmation.seconds", "900");
        properties.setProperty("hazelcast.merge.first.run.delay.seconds", "60");
        properties.setProperty("hazelcast.merge.next.run.delay.seconds", "30");
        properties.putAll(toml.section("hazelcast"));
        // The product logs with Log4j 2, which the stand-in does not have.
        properties.setProperty("hazelcast.logging.type", "jdk");
        Config config = new Config().setProperties(properties);
        String domain = keys.getOrDefault("domain", "wso2.carbon.domain");
        name(config, domain);
        config.getNetworkConfig().setPublicAddress(keys.getOrDefault("local_member_host", toml.section("server").get("node_ip")));
        config.getNetworkConfig().setPort(Integer.parseInt(keys.getOrDefault("local_member_port", "4000")));
        JoinConfig join = config.getNetworkConfig().getJoin();
        join.getMulticastConfig().setEnabled(false);
        switch (scheme) {
            case "wka":
                join.getTcpIpConfig().setEnabled(true);
                for (String member : toml.list("clustering", "members", "127.0.0.1:4000")) {
                    join.getTcpIpConfig().addMember(member);
                }
                return config;
            case "aws":
                join.getAwsConfig().setEnabled(true);
                instances().forEach(join.getAwsConfig()::setProperty);
                return config;
            case "aws-ecs":
                // AWSECSBasedMembershipScheme: a pattern of interfaces instead of an address, and defaults from infer.json.
                Map<String, String> given = toml.section("clustering.properties");
                if (given.get("vpcCidrBlock") == null || given.get("clusterName") == null && given.get("tagValue") == null) {
                    throw new IOException("the scheme aws-ecs needs vpcCidrBlock and clusterName: the server does not start");
                }
                config.getNetworkConfig().setPublicAddress(null).setPort(Integer.parseInt(keys.getOrDefault("local_member_port", "5701")));
                config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface(given.get("vpcCidrBlock"));
                join.getAwsConfig().setEnabled(true).setProperty("tag-key", "aws:cloudformation:stack-name")
                    .setProperty("tag-value", "EC2ContainerService-" + given.get("clusterName"));
                instances().forEach(join.getAwsConfig()::setProperty);
                return config;
            case "kubernetes":
                // KubernetesMembershipScheme: the port of a member is that of all members.
                join.getKubernetesConfig().setEnabled(true).setProperty("service-port", keys.getOrDefault("local_member_port", "4000"));
                pods().forEach(join.getKubernetesConfig()::setProperty);
                return config;
            default:
                throw new IOException("the stand-in does not know the membership scheme " + scheme);
        }
    }

    /** The sessions' cache has the settings of oauth_cache, the product's cache of tokens: seconds, or the server's default in minutes. */
    private long lifetime() {
        Map<String, String> cache = toml.section("cache.oauth_cache");
        if ("false".equals(cache.get("enable"))) {
            return 0;
        }
        String minutes = toml.section("server").getOrDefault("default_cache_timeout", "15m");
        return 1000 * Long.parseLong(cache.getOrDefault("timeout", String.valueOf(60 * Long.parseLong(minutes.replace("m", "")))));
    }

    private boolean remembers(String id) {
        return sessions.getOrDefault(id, 0L) > System.currentTimeMillis();
    }

    private void remember(String id) {
        if (lifetime > 0) {
            sessions.put(id, System.currentTimeMillis() + lifetime);
        }
    }

    /** Hazelcast 3 calls a cluster a group. */
    private static void name(Config config, String domain) throws IOException {
        config.setInstanceName(domain);
        try {
            if (Stream.of(Config.class.getMethods()).anyMatch(m -> m.getName().equals("setClusterName"))) {
                Config.class.getMethod("setClusterName", String.class).invoke(config, domain);
                return;
            }
            Object group = Config.class.getMethod("getGroupConfig").invoke(config);
            group.getClass().getMethod("setName", String.class).invoke(group, domain);
        } catch (ReflectiveOperationException e) {
            throw new IOException("naming the cluster", e);
        }
    }

    /** What AWSBasedMembershipScheme gives to Hazelcast. 6.0 and 6.1 read Hazelcast's own names, other releases the documented ones. */
    private Map<String, String> instances() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("accessKey", "access-key");
        names.put("secretKey", "secret-key");
        names.put("iamRole", "iam-role");
        names.put("securityGroup", "security-group-name");
        names.put("connTimeout", "connection-timeout-seconds");
        names.put("hostHeader", "host-header");
        names.put("region", "region");
        names.put("tagKey", "tag-key");
        names.put("tagValue", "tag-value");
        Map<String, String> properties = new LinkedHashMap<>();
        Map<String, String> keys = toml.section("clustering.properties");
        names.forEach((documented, hazelcasts) -> {
            String value = keys.get(version.startsWith("6.") ? hazelcasts : documented);
            if (value != null) {
                properties.put(hazelcasts, value);
            }
        });
        return properties;
    }

    /** What KubernetesMembershipScheme gives to Hazelcast. 6.0 and 6.1 read only the first two keys. */
    private Map<String, String> pods() {
        Map<String, String> keys = toml.section("clustering.properties");
        Map<String, String> names = new LinkedHashMap<>();
        names.put("KUBERNETES_NAMESPACE", "namespace");
        names.put("KUBERNETES_SERVICES", "service-name");
        if (!version.startsWith("6.")) {
            names.put("KUBERNETES_API_SERVER", "kubernetes-master");
            names.put("KUBERNETES_API_SERVER_TOKEN", "api-token");
        }
        Map<String, String> properties = new LinkedHashMap<>();
        names.forEach((documented, hazelcasts) -> {
            if (keys.get(documented) != null) {
                properties.put(hazelcasts, keys.get(documented));
            }
        });
        return properties;
    }

    private void say(String text) {
        System.out.println(Instant.now() + " [stand-in] " + text);
        System.out.flush();
    }

    private void serve(Path home) throws Exception {
        // The port without TLS is asked whether the server is alive, and needs no database.
        HttpServer plain = HttpServer.create(new InetSocketAddress(9763), 0);
        plain.createContext("/oauth2/jwks", exchange -> answer(exchange, 200, "{\"keys\":[]}"));
        HttpsServer secure = HttpsServer.create(new InetSocketAddress(9443), 0);
        secure.setHttpsConfigurator(new HttpsConfigurator(tls(home)));
        secure.createContext("/api/health-check/v1.0/health", this::health);
        secure.createContext("/session", this::session);
        secure.createContext("/members", exchange -> answer(exchange, 200, addresses()));
        secure.createContext("/", exchange -> answer(exchange, 200, "served by " + node));
        for (HttpServer server : List.of(plain, secure)) {
            server.setExecutor(Executors.newCachedThreadPool());
            server.start();
        }
        // As the product does on a stop: no more requests, then it leaves the cluster.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            secure.stop(1);
            if (hazelcast != null) {
                hazelcast.shutdown();
            }
            say("stopped");
        }));
        // The product's own words, for which the nodes' programs look.
        say("WSO2 Carbon started in " + (System.nanoTime() - BEGAN) / 1_000_000_000 + " sec, with " + (hazelcast == null ? "no cluster" : hazelcast.getCluster().getMembers().size() + " members"));
    }

    private SSLContext tls(Path home) throws Exception {
        Map<String, String> keys = toml.section("keystore.tls");
        char[] password = keys.get("password").toCharArray();
        KeyStore store = KeyStore.getInstance(keys.getOrDefault("type", "PKCS12"));
        try (InputStream in = new FileInputStream(home.resolve("repository/resources/security/" + keys.get("file_name")).toFile())) {
            store.load(in, password);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private String addresses() {
        TreeSet<String> all = new TreeSet<>();
        if (hazelcast != null) {
            hazelcast.getCluster().getMembers().forEach(m -> all.add(m.getAddress().getHost()));
        }
        return String.join(" ", all);
    }

    /** As the product's checkers: every data source answers its validation query, and the primary user store takes the nodes' account. */
    private void health(HttpExchange exchange) throws IOException {
        for (Source source : sources) {
            try {
                source.run(connection -> {
                    try (var statement = connection.createStatement()) {
                        statement.execute("SELECT 1");
                    }
                    return null;
                });
            } catch (SQLException e) {
                answer(exchange, 503, source.name + ": " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
                return;
            }
        }
        if (directory != null) {
            try {
                directory.check();
            } catch (NamingException e) {
                answer(exchange, 503, "the primary user store: " + String.valueOf(e.getMessage()).lines().findFirst().orElse("") + ", "
                    + e.getRootCause());
                return;
            }
        }
        answer(exchange, 200, "{}");
    }

    /** POST makes a session, GET asks whether it is good, and DELETE revokes it. */
    private void session(HttpExchange exchange) throws IOException {
        String id = String.valueOf(exchange.getRequestURI().getQuery());
        Source identity = sources.stream().filter(s -> s.name.equals("identity_db")).findFirst().orElseThrow();
        try {
            switch (exchange.getRequestMethod()) {
                case "POST":
                    String made = UUID.randomUUID().toString();
                    update(identity, "INSERT INTO IDN_AUTH_SESSION_STORE (SESSION_ID) VALUES (?)", made);
                    remember(made);
                    answer(exchange, 201, made);
                    return;
                case "DELETE":
                    update(identity, "DELETE FROM IDN_AUTH_SESSION_STORE WHERE SESSION_ID = ?", id);
                    sessions.remove(id);
                    invalidations.accept(id);
                    answer(exchange, 200, "revoked");
                    return;
                default:
                    boolean remembered = remembers(id);
                    boolean good = remembered || identity.run(connection -> {
                        try (PreparedStatement select = connection.prepareStatement(
                                "SELECT 1 FROM IDN_AUTH_SESSION_STORE WHERE SESSION_ID = ?")) {
                            select.setString(1, id);
                            try (ResultSet rows = select.executeQuery()) {
                                return rows.next();
                            }
                        }
                    });
                    if (good && !remembered) {
                        remember(id);
                    }
                    answer(exchange, good ? 200 : 401, good ? "good" : "refused");
            }
        } catch (SQLException e) {
            answer(exchange, 500, "the database: " + e.getMessage());
        }
    }

    private static void update(Source source, String sql, String id) throws SQLException {
        source.run(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setString(1, id);
                return statement.executeUpdate();
            }
        });
    }

    private void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = (text + "\n").getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("X-Node", node);
        exchange.getResponseHeaders().set("X-Stand-In", "of WSO2 Identity Server " + version);
        exchange.getRequestBody().readAllBytes();
        exchange.sendResponseHeaders(status, body.length);
        try (var out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    interface Work<T> {
        T with(Connection connection) throws SQLException;
    }

    /** A data source of deployment.toml, with connections that are kept. One that is broken is opened again once. */
    static final class Source {
        final String name;
        private final String url;
        private final Properties account = new Properties();
        private final java.util.concurrent.ConcurrentLinkedQueue<Connection> idle = new java.util.concurrent.ConcurrentLinkedQueue<>();

        Source(String name, Map<String, String> keys) {
            this.name = name;
            // The value lands in XML, so that the product reads it unescaped.
            url = unescaped(keys.get("url"));
            account.setProperty("user", keys.get("username"));
            account.setProperty("password", keys.get("password"));
        }

        <T> T run(Work<T> work) throws SQLException {
            for (Connection kept = idle.poll(); kept != null; kept = idle.poll()) {
                try {
                    return keep(kept, work);
                } catch (SQLException broken) {
                    if (kept.isValid(1)) {
                        throw broken;
                    }
                    kept.close();
                }
            }
            return keep(DriverManager.getConnection(url, account), work);
        }

        private <T> T keep(Connection connection, Work<T> work) throws SQLException {
            T result = work.with(connection);
            idle.add(connection);
            return result;
        }
    }

    private static String unescaped(String value) {
        return value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&");
    }

    /** The directory of the primary user store, with its properties in deployment.toml. */
    static final class Directory {
        private final Hashtable<String, String> environment = new Hashtable<>();
        private final String base;
        private final String filter;

        Directory(Map<String, String> keys) {
            // As the product's LDAPConnectionContext makes it, which waits 5 seconds for a connection where no property says otherwise.
            environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
            environment.put(Context.SECURITY_AUTHENTICATION, "simple");
            environment.put(Context.PROVIDER_URL, unescaped(keys.get("ConnectionURL")));
            environment.put(Context.SECURITY_PRINCIPAL, unescaped(keys.get("ConnectionName")));
            environment.put(Context.SECURITY_CREDENTIALS, keys.get("ConnectionPassword"));
            environment.put("com.sun.jndi.ldap.connect.timeout", keys.getOrDefault("LDAPConnectionTimeout", "5000"));
            environment.put("com.sun.jndi.ldap.read.timeout", "5000");
            base = unescaped(keys.get("UserSearchBase"));
            filter = unescaped(keys.get("UserNameListFilter"));
        }

        /** Binds, and lists users. */
        void check() throws NamingException {
            DirContext context = new InitialDirContext(environment);
            try {
                SearchControls one = new SearchControls(SearchControls.SUBTREE_SCOPE, 1, 5000, new String[0], false, false);
                context.search(base, filter, one).hasMore();
            } finally {
                context.close();
            }
        }
    }

    /** As much of TOML as deployment.toml has: tables, texts, numbers, flags, and lists of texts on one line. */
    static final class Toml {
        private static final Pattern TABLE = Pattern.compile("\\[([A-Za-z0-9_.-]+)]");
        private static final Pattern LINE = Pattern.compile("(?:'([^']+)'|\"([^\"]+)\"|([A-Za-z0-9_.-]+))\\s*=\\s*(.+)");
        private static final Pattern TEXT = Pattern.compile("'([^']*)'|\"((?:[^\"\\\\]|\\\\.)*)\"");
        private static final Pattern ENVIRONMENT = Pattern.compile("\\$env\\{([A-Za-z0-9_]+)}");

        private final Map<String, Map<String, String>> tables = new LinkedHashMap<>();

        static Toml read(Path file) throws IOException {
            Toml toml = new Toml();
            String table = "";
            for (String line : Files.readAllLines(file)) {
                line = line.strip();
                Matcher head = TABLE.matcher(line);
                Matcher pair = LINE.matcher(line);
                if (line.isEmpty() || line.startsWith("#")) {
                    continue;
                }
                if (head.matches()) {
                    table = head.group(1);
                } else if (pair.matches()) {
                    String key = pair.group(1) != null ? pair.group(1) : pair.group(2) != null ? pair.group(2) : pair.group(3);
                    toml.tables.computeIfAbsent(table, t -> new LinkedHashMap<>()).put(key, resolve(pair.group(4)));
                } else {
                    throw new IOException(file + ": the stand-in does not read: " + line);
                }
            }
            return toml;
        }

        /** A text without its quotes and with the environment's values; anything else as it is written. */
        private static String resolve(String value) throws IOException {
            Matcher text = TEXT.matcher(value);
            if (!text.matches()) {
                return value;
            }
            String plain = text.group(1) != null ? text.group(1) : text.group(2).translateEscapes();
            StringBuilder resolved = new StringBuilder();
            Matcher variable = ENVIRONMENT.matcher(plain);
            while (variable.find()) {
                String found = System.getenv(variable.group(1));
                if (found == null) {
                    throw new IOException("the environment lacks " + variable.group(1) + ": the server does not start");
                }
                variable.appendReplacement(resolved, Matcher.quoteReplacement(found));
            }
            return variable.appendTail(resolved).toString();
        }

        Map<String, String> section(String name) {
            return tables.getOrDefault(name, Map.of());
        }

        /** The tables directly within others. */
        List<String> sections(String... parents) {
            List<String> all = new ArrayList<>();
            for (String name : tables.keySet()) {
                for (String parent : parents) {
                    if (name.startsWith(parent + ".") && name.indexOf('.', parent.length() + 1) < 0) {
                        all.add(name);
                    }
                }
            }
            return all;
        }

        List<String> list(String section, String key, String absent) {
            String value = section(section).get(key);
            if (value == null) {
                return List.of(absent);
            }
            List<String> all = new ArrayList<>();
            Matcher text = TEXT.matcher(value);
            while (text.find()) {
                all.add(text.group(1) != null ? text.group(1) : text.group(2));
            }
            return all;
        }
    }
}
