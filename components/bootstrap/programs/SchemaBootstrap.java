import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * Makes the logical databases of WSO2 Identity Server, once, however many nodes start together.
 *
 * <pre>
 * java -cp DRIVER.jar SchemaBootstrap.java FILE.properties      create what is missing
 * java SchemaBootstrap.java split ENGINE SCRIPT.sql             show the statements of a script, change nothing
 * java SchemaBootstrap.java trust TRUSTSTORE CERTIFICATES.pem   add certificates to a trust store, whose password
 *                                                               is in TRUSTSTORE_PASSWORD
 * java SchemaBootstrap.java forward PORT SERVER                 lead connections to PORT of the loopback interface on
 *                                                               to its port SERVER, until it is killed
 * </pre>
 *
 * Passwords come from the environment and are never printed. For each logical database KEY of the properties file:
 * SCHEMA_KEY_MASTER_USERNAME and SCHEMA_KEY_MASTER_PASSWORD, of the account that creates databases, and
 * SCHEMA_KEY_PASSWORD, of the account the server uses, which is named as the database is, or KEY.user of the file if the
 * accounts were rotated. Old and new servers then use one account each. KEY.revoked is the account of earlier servers, which
 * is deleted. An account with which servers are connected is neither deleted nor given another password then.
 * SCHEMA_ENCRYPTION_KEY is the
 * key with which the server encrypts what it stores, and SCHEMA_PREVIOUS_ENCRYPTION_KEY, where there is one, the key
 * before it.
 *
 * <p>Where KEY.owned is true, the team made the database and the server's account. SCHEMA_KEY_USERNAME and
 * SCHEMA_KEY_PASSWORD are the only credentials then. Nothing is granted or dropped, and no database and no account is
 * made: the scripts run on an empty database; elsewhere the product's tables must be there, and the account able to use
 * them.
 *
 * <p>A ledger records how far each logical database is. It is kept where the server's account cannot write: in a schema
 * (PostgreSQL, SQL Server) or database (MySQL, MariaDB) named wso2_bootstrap, or with the master account (Oracle). The
 * server's account gets its privileges after the last script, so while the ledger says "applying" nothing but the
 * scripts can have written; only then is a half-made database dropped and made again.
 *
 * <p>The ledger also has the release, and a check of the encryption key. So a database of another release, or one that the
 * key does not open, a restored one for example, is refused before a server starts on it.
 *
 * <p>Exit status: 0 the schema stands, 2 wrong usage or configuration, 3 the database could not be reached, 4 refused,
 * a person must decide, 5 a script failed, 1 anything else.
 */
public class SchemaBootstrap {
    static final int CONFIGURATION = 2;
    static final int UNREACHABLE = 3;
    static final int REFUSED = 4;
    static final int SCRIPT = 5;

    /** Passwords, so that no driver's message can carry one to a log. */
    static final Set<String> SECRETS = new TreeSet<>();

    public static void main(String[] args) {
        int status = 1;
        try {
            if (args.length == 3 && args[0].equals("split")) {
                showStatements(args[1], Path.of(args[2]));
            } else if (args.length >= 3 && args[0].equals("trust")) {
                trust(Path.of(args[1]), List.of(args).subList(2, args.length));
            } else if (args.length == 3 && args[0].equals("forward")) {
                forward(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
            } else if (args.length == 1) {
                bootstrap(Path.of(args[0]));
            } else {
                throw new Failure(CONFIGURATION, "usage: SchemaBootstrap.java FILE.properties");
            }
            status = 0;
        } catch (Failure e) {
            status = e.status;
            System.err.println(scrub(e.getMessage()));
        } catch (Exception e) {
            System.err.println(scrub("unexpected: " + e));
        }
        System.out.flush();
        System.exit(status);
    }

    static void bootstrap(Path file) throws Exception {
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
        } catch (IOException e) {
            throw new Failure(CONFIGURATION, "cannot read " + file + ": " + e);
        }
        Settings settings = new Settings(properties);
        List<Database> databases = new ArrayList<>();
        for (String key : settings.list("databases")) {
            databases.add(new Database(settings, key));
        }
        if (databases.isEmpty()) {
            throw new Failure(CONFIGURATION, file + ": databases names no logical database");
        }
        for (Database database : databases) {
            Engine engine = Engine.of(settings, database);
            try {
                engine.bootstrap();
            } catch (SQLException e) {
                throw new Failure(e instanceof ScriptException ? SCRIPT : 1, database.key + ": " + oneLine(e));
            } finally {
                engine.close();
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- configuration

    static class Settings {
        final Properties properties;
        final String version;
        final Path home;
        final long connectSeconds;
        final long lockSeconds;
        final String encryptionKey;
        /** The key before it, or empty. */
        final String previousEncryptionKey;

        Settings(Properties properties) throws Failure {
            this.properties = properties;
            version = required("version");
            home = Path.of(required("home"));
            connectSeconds = Long.parseLong(properties.getProperty("connectSeconds", "900"));
            lockSeconds = Long.parseLong(properties.getProperty("lockSeconds", "1800"));
            encryptionKey = Database.environment("SCHEMA_ENCRYPTION_KEY");
            String previous = System.getenv("SCHEMA_PREVIOUS_ENCRYPTION_KEY");
            previousEncryptionKey = previous == null ? "" : previous;
            SECRETS.add(encryptionKey);
            if (!previousEncryptionKey.isEmpty()) {
                SECRETS.add(previousEncryptionKey);
            }
        }

        String required(String name) throws Failure {
            String value = properties.getProperty(name, "").trim();
            if (value.isEmpty()) {
                throw new Failure(CONFIGURATION, "the property " + name + " is missing");
            }
            return value;
        }

        List<String> list(String name) throws Failure {
            return List.of(required(name).split("\\s*,\\s*"));
        }
    }

    /** One logical database: where it is, whose it is and which scripts make it. */
    static class Database {
        final String key;
        final String engine;
        final String name;
        /** The JDBC URL with {database} where the name of a database belongs. */
        final String url;
        final String host;
        final String port;
        final Properties properties = new Properties();
        final List<Script> scripts = new ArrayList<>();
        final String masterUser;
        final String masterPassword;
        final String password;
        /** The server's account, whether it takes turns with another one, and that one if it is to be deleted, or empty. */
        final String user;
        final boolean rotated;
        final String revoked;
        /** Whether the team made the database and the server's account, which is the only one then. */
        final boolean owned;

        Database(Settings settings, String key) throws Failure, IOException {
            this.key = key;
            engine = settings.required(key + ".engine");
            name = settings.required(key + ".name");
            url = settings.required(key + ".url");
            Matcher address = Pattern.compile("//([^:/]+):(\\d+)").matcher(url);
            if (!address.find()) {
                throw new Failure(CONFIGURATION, key + ".url: \"" + url + "\" names no host and port");
            }
            host = address.group(1);
            port = address.group(2);
            for (String property : settings.properties.getProperty(key + ".properties", "").split(";")) {
                int equals = property.indexOf('=');
                if (equals > 0) {
                    properties.setProperty(property.substring(0, equals), property.substring(equals + 1));
                }
            }
            if (!name.matches("[a-z][a-z0-9_]{0,29}")) {
                throw new Failure(CONFIGURATION, key + ".name: \"" + name + "\" is no name that every engine accepts;"
                        + " write lower-case letters, digits and underscores, 30 at the most");
            }
            owned = settings.properties.getProperty(key + ".owned", "").equals("true");
            String prefix = "SCHEMA_" + key.toUpperCase(Locale.ROOT);
            rotated = !settings.properties.getProperty(key + ".user", "").isEmpty();
            user = owned ? environment(prefix + "_USERNAME") : settings.properties.getProperty(key + ".user", name);
            revoked = settings.properties.getProperty(key + ".revoked", "");
            for (String account : List.of(user, revoked)) {
                if (!owned && !account.isEmpty() && !account.equals(name) && !account.equals(name + "_b")) {
                    throw new Failure(CONFIGURATION, key + ": the account \"" + account + "\" is neither " + name
                            + " nor " + name + "_b");
                }
            }
            if (user.equals(revoked)) {
                throw new Failure(CONFIGURATION, key + ".revoked: the server logs in as " + user);
            }
            for (String script : settings.list(key + ".scripts")) {
                scripts.add(new Script(engine, settings.home, script));
            }
            password = environment(prefix + "_PASSWORD");
            masterUser = owned ? user : environment(prefix + "_MASTER_USERNAME");
            masterPassword = owned ? password : environment(prefix + "_MASTER_PASSWORD");
            SECRETS.add(masterPassword);
            SECRETS.add(password);
            for (String value : owned ? List.of(user, password) : List.<String>of()) {
                if (!value.matches("[A-Za-z0-9][A-Za-z0-9_.~!*+=@:,/-]*")) {
                    throw new Failure(CONFIGURATION, key + ": the " + (value.equals(user) ? "username" : "password")
                            + " in the secret of its account would not survive XML and a shell on the way to the server;"
                            + " choose letters, digits and -_.~!*+=@:,/ that begin with a letter or digit");
                }
            }
            if (password.matches("(?s).*[\\s\"'\\\\;].*")) {
                throw new Failure(CONFIGURATION, prefix + "_PASSWORD has white space, a quote, a semicolon or a"
                        + " backslash, which not every engine and connection string can carry");
            }
        }

        static String environment(String name) throws Failure {
            String value = System.getenv(name);
            if (value == null || value.isEmpty()) {
                throw new Failure(CONFIGURATION, "the environment variable " + name + " is missing");
            }
            return value;
        }

        String url(String database) {
            return url.replace("{database}", database);
        }

        /** The tables that the scripts leave behind, in lower case. */
        Set<String> tables() {
            Set<String> tables = new TreeSet<>();
            for (Script script : scripts) {
                for (Sql sql : script.statements) {
                    sql.trackTables(tables);
                }
            }
            return tables;
        }

        String checksum() throws GeneralSecurityException {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Script script : scripts) {
                digest.update(script.text.getBytes(StandardCharsets.UTF_8));
            }
            return hex(digest.digest());
        }

        String scriptNames() {
            StringBuilder names = new StringBuilder();
            for (Script script : scripts) {
                names.append(names.length() == 0 ? "" : ", ").append(script.name);
            }
            return names.toString();
        }
    }

    static class Script {
        final String name;
        final String text;
        final List<Sql> statements;

        Script(String engine, Path home, String name) throws Failure {
            this.name = name;
            try {
                String read = Files.readString(home.resolve(name), StandardCharsets.UTF_8);
                text = read.startsWith("\uFEFF") ? read.substring(1) : read;
            } catch (IOException e) {
                throw new Failure(CONFIGURATION, "cannot read the script " + home.resolve(name) + ": " + e);
            }
            statements = new Splitter(engine, name, text).split();
            if (statements.isEmpty()) {
                throw new Failure(CONFIGURATION, "the script " + home.resolve(name) + " has no statement");
            }
        }
    }

    // -------------------------------------------------------------------------------------------------- the engines

    /** What the ledger says of one logical database. */
    static class Entry {
        final String state;
        final String version;
        final String checksum;
        /** The check of the encryption key, or null. */
        final String keyCheck;

        Entry(String state, String version, String checksum, String keyCheck) {
            this.state = state;
            this.version = version;
            this.checksum = checksum;
            this.keyCheck = keyCheck;
        }
    }

    /**
     * The steps that all engines share. A subclass says how its engine does each one, and whether a script and its
     * ledger entry can be one transaction.
     */
    abstract static class Engine {
        final Settings settings;
        final Database database;
        final List<Connection> connections = new ArrayList<>();
        /** The connection to the logical database. */
        Connection work;

        Engine(Settings settings, Database database) {
            this.settings = settings;
            this.database = database;
        }

        static Engine of(Settings settings, Database database) throws Failure {
            Engine dialect = dialect(settings, database);
            return database.owned ? new Owned(settings, database, dialect) : dialect;
        }

        private static Engine dialect(Settings settings, Database database) throws Failure {
            switch (database.engine) {
                case "postgres":
                    return new Postgres(settings, database);
                case "mysql":
                case "mariadb":
                    return new MySQL(settings, database);
                case "mssql":
                    return new SQLServer(settings, database);
                case "oracle":
                    return new Oracle(settings, database);
                default:
                    throw new Failure(CONFIGURATION, database.key + ".engine: \"" + database.engine
                            + "\" is unknown; write one of postgres, mysql, mariadb, mssql, oracle");
            }
        }

        void bootstrap() throws Exception {
            lock();
            try {
                open();
                decide();
            } finally {
                unlock();
            }
        }

        /** Reads the ledger and the database, and does the one thing that is safe. */
        void decide() throws Exception {
            Entry entry = ledger();
            Set<String> expected = database.tables();
            Set<String> found = tables();
            Set<String> missing = new TreeSet<>(expected);
            missing.removeAll(found);
            if (entry != null && entry.state.equals("done")) {
                confirm(entry, expected, missing);
            } else if (entry != null && entry.state.equals("applying")) {
                rebuild(expected, found);
            } else if (!hasContent()) {
                apply();
            } else if (missing.isEmpty()) {
                record("done");
                say("the schema was there without a ledger entry: adopted as that of " + settings.version
                        + ", no script was run");
            } else if (missing.size() == expected.size()) {
                throw refuse("the database " + database.name + " on " + database.host + " is not empty and has none of"
                        + " the product's tables; the scripts drop tables, so they were not run. Give the logical"
                        + " database another name, or empty this one if nobody needs its content: " + dropCommand());
            } else {
                throw refuse("the database " + database.name + " on " + database.host + " has some of the product's"
                        + " tables but lacks " + some(missing) + ", and no ledger says who made them; nothing was run."
                        + " If nobody needs its content, start afresh with: " + dropCommand() + " If it is a complete"
                        + " schema of another update level, adopt it with: " + adoptCommand());
            }
            if (database.rotated && isAccount(database.user) && sessions(database.user) > 0
                    && !passwordWorks(database.url(database.name))) {
                throw refuse("servers are connected as " + database.user + " with another password than that of this"
                        + " generation, so they would lose the database. Raise database.users.generation by one at a"
                        + " time, and wait until all nodes are replaced");
            }
            grant();
            if (!database.revoked.isEmpty() && isAccount(database.revoked)) {
                long sessions = sessions(database.revoked);
                if (sessions > 0) {
                    throw refuse(database.revoked + " has " + sessions + " open connections: servers still log in with"
                            + " it. Lower database.users.revoked, wait until all nodes are replaced, and raise it again");
                }
                revoke();
                say(database.revoked + " is deleted: no server logs in with it");
            }
        }

        void confirm(Entry entry, Set<String> expected, Set<String> missing) throws Exception {
            if (missing.size() == expected.size()) {
                throw refuse("the ledger says that the schema of " + database.name + " was made, but none of its tables"
                        + " is there. Restore a backup; or, to have an empty schema made: " + forgetCommand());
            }
            if (!entry.version.equals(settings.version)) {
                throw refuse("the schema of " + database.name + " is that of " + entry.version + ", and this node is "
                        + settings.version + ". If it was restored, give the stack that release. Otherwise migrate the"
                        + " database with WSO2's migration client, then record it: "
                        + updateCommand("product_version = '" + settings.version + "'"));
            }
            confirmKey(entry);
            if (!entry.checksum.equals(database.checksum())) {
                say("the schema stands; this node's scripts differ from those that made it, as after a product update."
                        + " Nothing was run");
            } else {
                say("the schema stands");
            }
        }

        /** What the key does not open is not readable to a server: it would start, and fail where it decrypts. */
        void confirmKey(Entry entry) throws Exception {
            String check = entry.keyCheck;
            if (check != null && !check.isEmpty() && KeyCheck.opens(check, settings.encryptionKey)) {
                return;
            }
            if (check == null || check.isEmpty()) {
                say("the ledger has no check of the encryption key, as that of an earlier program: taken from this"
                        + " stack's key");
            } else if (!settings.previousEncryptionKey.isEmpty()
                    && KeyCheck.opens(check, settings.previousEncryptionKey)) {
                say("the encryption key was changed, and the one before it is known");
            } else {
                throw refuse("the database " + database.name + " on " + database.host + " was used with another"
                        + " encryption key than this stack has, and its servers could not read what is encrypted in it."
                        + " Give the stack the key that belongs to this database as secrets.encryptionKey. If the key is"
                        + " being changed, give that one as secrets.previousEncryptionKey beside the new one. If"
                        + " everything was encrypted anew, or that key is lost for good, let the ledger forget it: "
                        + updateCommand("key_check = NULL"));
            }
            update(work, "UPDATE " + ledgerTable() + " SET key_check = ? WHERE database_name = ?",
                    KeyCheck.of(settings.encryptionKey), database.name);
        }

        void rebuild(Set<String> expected, Set<String> found) throws Exception {
            Set<String> foreign = new TreeSet<>(found);
            foreign.removeAll(expected);
            boolean open = serverMayWrite();
            if (!foreign.isEmpty() || open) {
                throw refuse("making the schema of " + database.name + " was interrupted, and "
                        + (open ? "the account " + database.name + " already has privileges on it"
                                : "it has tables that no script makes: " + some(foreign))
                        + ", so it was not dropped. If nobody needs its content: " + dropCommand());
            }
            say("making the schema was interrupted half-way, before any server could write: making it again");
            recreate();
            apply();
        }

        void apply() throws Exception {
            record("applying");
            int count = 0;
            for (Script script : database.scripts) {
                say("running " + script.name + " (" + script.statements.size() + " statements)");
                for (Sql sql : script.statements) {
                    if (transactional() && sql.isTransactionControl()) {
                        continue;
                    }
                    run(script, sql);
                    count++;
                }
            }
            record("done");
            say("the schema is made: " + count + " statements of " + database.scriptNames());
        }

        void run(Script script, Sql sql) throws SQLException {
            // Braces and question marks in scripts are the engine's, not JDBC's.
            try (Statement statement = work.createStatement()) {
                statement.setEscapeProcessing(false);
                statement.execute(sql.text);
                // A batch reports the failure of a later statement only when its result is reached.
                while (statement.getMoreResults() || statement.getUpdateCount() != -1) {
                    continue;
                }
            } catch (SQLException e) {
                throw new ScriptException(script.name + " line " + sql.line + ": " + oneLine(e), e);
            }
        }

        Connection connect(String url, String user, String password) throws Exception {
            Properties properties = new Properties();
            properties.putAll(database.properties);
            properties.setProperty(timeoutProperty(), String.valueOf(10 * timeoutUnit()));
            properties.setProperty("user", user);
            properties.setProperty("password", password);
            long deadline = System.nanoTime() + settings.connectSeconds * 1_000_000_000L;
            boolean told = false;
            while (true) {
                try {
                    Connection connection = DriverManager.getConnection(url, properties);
                    connections.add(connection);
                    return connection;
                } catch (SQLException e) {
                    if (e.getMessage() != null && e.getMessage().startsWith("No suitable driver")) {
                        throw new Failure(CONFIGURATION, database.key + ": the class path has no JDBC driver for "
                                + database.engine);
                    }
                    if (isLoginFailure(e)) {
                        throw new LoginException(e);
                    }
                    if (!isTransient(e) || System.nanoTime() > deadline) {
                        throw new Failure(UNREACHABLE, database.key + ": cannot connect to " + database.host + ":"
                                + database.port + ": " + oneLine(e));
                    }
                    if (!told) {
                        say("waiting for " + database.host + ":" + database.port + ": " + oneLine(e));
                        told = true;
                    }
                    Thread.sleep(3000);
                }
            }
        }

        Connection connectMaster(String url) throws Exception {
            try {
                return connect(url, database.masterUser, database.masterPassword);
            } catch (LoginException e) {
                throw new Failure(UNREACHABLE, database.key + ": " + database.host + " refused the "
                        + (database.owned ? "" : "master ") + "account " + database.masterUser + ": " + oneLine(e));
            }
        }

        /** Whether the server's account can log in with its password. */
        boolean passwordWorks(String url) throws Exception {
            try {
                connect(url, database.user, database.password).close();
                return true;
            } catch (LoginException e) {
                return false;
            }
        }

        boolean isTransient(SQLException e) {
            String state = e.getSQLState() == null ? "" : e.getSQLState();
            return state.startsWith("08") || state.startsWith("57P") || state.startsWith("53")
                    || causedBy(e, IOException.class);
        }

        boolean isLoginFailure(SQLException e) {
            return e.getSQLState() != null && e.getSQLState().startsWith("28");
        }

        void close() {
            for (Connection connection : connections) {
                try {
                    connection.close();
                } catch (SQLException e) {
                    // The process ends; the server notices.
                }
            }
        }

        Failure refuse(String message) {
            return new Failure(REFUSED, database.key + ": refused: " + message);
        }

        void say(String message) {
            System.out.println(scrub(database.key + ": " + message));
        }

        /** Repeats one attempt to take the lock until it succeeds. */
        void waitForLock(Attempt attempt) throws Exception {
            long deadline = System.nanoTime() + settings.lockSeconds * 1_000_000_000L;
            boolean told = false;
            while (!attempt.take()) {
                if (System.nanoTime() > deadline) {
                    throw new Failure(UNREACHABLE, database.key + ": another node has held the schema lock for "
                            + settings.lockSeconds + " seconds");
                }
                if (!told) {
                    say("another node is at work on the schema: waiting");
                    told = true;
                }
                Thread.sleep(1000);
            }
        }

        abstract boolean transactional();

        /** The driver's property that bounds how long one connection attempt takes. */
        abstract String timeoutProperty();

        /** How many of the property's units a second has. */
        abstract int timeoutUnit();

        /** Takes the lock of this logical database for this process. */
        abstract void lock() throws Exception;

        /** Tries for some seconds to take the lock with a connection. Oracle's is a row of a table of the master account. */
        boolean tryLock(Connection connection) throws Exception {
            return true;
        }

        abstract void unlock() throws Exception;

        /** Makes the empty database and the ledger where they are missing, and connects to it. */
        abstract void open() throws Exception;

        String ledgerTable() {
            return "wso2_bootstrap.ledger";
        }

        /** The ledger's entry, or null. */
        abstract Entry ledger() throws Exception;

        abstract void record(String state) throws Exception;

        abstract Set<String> tables() throws Exception;

        abstract boolean hasContent() throws Exception;

        /** Whether the server's account could have written while the ledger says "applying". */
        abstract boolean serverMayWrite() throws Exception;

        /** Drops the half-made database and makes an empty one. */
        abstract void recreate() throws Exception;

        /** Gives the server's account its password and the privileges that a running server needs. */
        abstract void grant() throws Exception;

        abstract boolean isAccount(String account) throws Exception;

        /** How many connections an account has. */
        abstract long sessions(String account) throws Exception;

        /** Deletes the revoked account. */
        abstract void revoke() throws Exception;

        abstract String dropCommand();

        abstract String forgetCommand();

        /** Has a person change this database's entry. */
        abstract String updateCommand(String set);

        abstract String adoptCommand() throws Exception;
    }

    interface Attempt {
        boolean take() throws Exception;
    }

    /** Scripts and ledger entry are one transaction: after a crash nothing of either is there. */
    static class Postgres extends Engine {
        private static final String LEDGER = "wso2_bootstrap.ledger";
        private Connection admin;

        Postgres(Settings settings, Database database) {
            super(settings, database);
        }

        @Override
        String timeoutProperty() {
            return "connectTimeout";
        }

        @Override
        int timeoutUnit() {
            return 1;
        }

        @Override
        boolean transactional() {
            return true;
        }

        @Override
        void lock() throws Exception {
            // Advisory locks belong to one database, so nodes meet in the one that every instance has.
            admin = connectMaster(database.url("postgres"));
            waitForLock(() -> tryLock(admin));
        }

        @Override
        boolean tryLock(Connection connection) throws Exception {
            return number(connection, "SELECT pg_try_advisory_lock(" + lockKey(database.name) + ")::int") == 1;
        }

        @Override
        void unlock() throws Exception {
            admin.close();
        }

        @Override
        void open() throws Exception {
            if (number(admin, "SELECT count(*) FROM pg_database WHERE datname = ?", database.name) == 0) {
                execute(admin, "CREATE DATABASE " + database.name + " TEMPLATE template0 ENCODING 'UTF8'");
                say("created the database " + database.name);
            }
            work = connectMaster(database.url(database.name));
            work.setAutoCommit(false);
            // Should the first lock be lost with its connection, this one still keeps a second writer out.
            execute(work, "SELECT pg_advisory_xact_lock(" + lockKey(database.name) + ")");
        }

        @Override
        Entry ledger() throws Exception {
            if (number(work, "SELECT count(*) FROM pg_tables WHERE schemaname = 'wso2_bootstrap'"
                    + " AND tablename = 'ledger'") == 0) {
                return null;
            }
            return readEntry(work, LEDGER, database.name);
        }

        @Override
        void record(String state) throws Exception {
            if (state.equals("applying")) {
                return;
            }
            execute(work, "CREATE SCHEMA IF NOT EXISTS wso2_bootstrap");
            execute(work, "CREATE TABLE IF NOT EXISTS " + LEDGER + " (" + LEDGER_COLUMNS + ")");
            writeEntry(work, LEDGER, database, settings, state);
        }

        private static final String OWN = " AND n.nspname NOT IN ('information_schema', 'wso2_bootstrap')"
                + " AND n.nspname NOT LIKE 'pg\\_%'";

        @Override
        Set<String> tables() throws Exception {
            return names(work, "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    + " WHERE c.relkind IN ('r', 'p')" + OWN);
        }

        @Override
        boolean hasContent() throws Exception {
            return number(work, "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    + " WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')" + OWN
                    + ") + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                    + " WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')" + OWN
                    + ")") > 0;
        }

        @Override
        boolean serverMayWrite() {
            return true;
        }

        @Override
        void recreate() {
            throw new IllegalStateException("a transaction leaves nothing to make again");
        }

        @Override
        void grant() throws Exception {
            String name = database.name;
            String user = database.user;
            boolean exists = isAccount(user);
            if (!exists) {
                execute(work, "CREATE ROLE " + user + " LOGIN");
            }
            execute(work, "REVOKE ALL ON DATABASE " + name + " FROM PUBLIC");
            execute(work, "GRANT CONNECT, TEMPORARY ON DATABASE " + name + " TO " + user);
            execute(work, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
            execute(work, "GRANT USAGE ON SCHEMA public TO " + user);
            try {
                execute(work, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + user);
                execute(work, "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO " + user);
                execute(work, "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
                        + " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO " + user);
                execute(work, "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
                        + " GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO " + user);
            } catch (SQLException e) {
                throw refuse("the tables of " + name + " belong to another account than " + database.masterUser + " ("
                        + oneLine(e) + "). As their owner run: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN"
                        + " SCHEMA public TO " + database.masterUser + " WITH GRANT OPTION;");
            }
            work.commit();
            if (!exists || !passwordWorks(database.url(name))) {
                setPassword();
            }
        }

        @Override
        boolean isAccount(String account) throws Exception {
            return number(work, "SELECT count(*) FROM pg_roles WHERE rolname = ?", account) > 0;
        }

        @Override
        long sessions(String account) throws Exception {
            return number(work, "SELECT count(*) FROM pg_stat_activity WHERE usename = ?", account);
        }

        /** A role with privileges cannot be dropped. It owns nothing: all tables are the master account's. */
        @Override
        void revoke() throws Exception {
            String user = database.revoked;
            execute(work, "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM " + user);
            execute(work, "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM " + user);
            execute(work, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM " + user);
            execute(work, "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM " + user);
            execute(work, "REVOKE ALL ON SCHEMA public FROM " + user);
            execute(work, "REVOKE ALL ON DATABASE " + database.name + " FROM " + user);
            execute(work, "DROP ROLE " + user);
            work.commit();
        }

        /** Lets the driver hash the password, since the server may log the statement that sets it. */
        private void setPassword() throws Exception {
            Class<?> type = Class.forName("org.postgresql.PGConnection");
            try {
                type.getMethod("alterUserPassword", String.class, char[].class, String.class)
                        .invoke(admin.unwrap(type), database.user, database.password.toCharArray(), null);
            } catch (NoSuchMethodException e) {
                throw new Failure(CONFIGURATION, database.key + ": the JDBC driver cannot hash a password itself;"
                        + " give 42.7.0 or a newer one");
            }
            say("set the password of " + database.user);
        }

        @Override
        String dropCommand() {
            return "psql -h " + database.host + " -U " + database.masterUser + " -d postgres -c 'DROP DATABASE "
                    + database.name + ";'";
        }

        private String onDatabase(String sql) {
            return "psql -h " + database.host + " -U " + database.masterUser + " -d " + database.name + " -c \"" + sql
                    + "\"";
        }

        @Override
        String forgetCommand() {
            return onDatabase("DELETE FROM " + LEDGER + ";");
        }

        @Override
        String updateCommand(String set) {
            return onDatabase("UPDATE " + LEDGER + " SET " + set + ";");
        }

        @Override
        String adoptCommand() throws Exception {
            return onDatabase("CREATE SCHEMA IF NOT EXISTS wso2_bootstrap; CREATE TABLE IF NOT EXISTS " + LEDGER + " ("
                    + LEDGER_COLUMNS + "); " + insertEntry(LEDGER, database, settings.version));
        }
    }

    /** Every CREATE TABLE commits, so the ledger alone knows how far a crashed run came. */
    static class MySQL extends Engine {
        private static final String LEDGER = "wso2_bootstrap.ledger";

        MySQL(Settings settings, Database database) {
            super(settings, database);
        }

        @Override
        String timeoutProperty() {
            return "connectTimeout";
        }

        @Override
        int timeoutUnit() {
            return 1000;
        }

        @Override
        boolean transactional() {
            return false;
        }

        @Override
        void lock() throws Exception {
            // Lock and work share one connection: when it is lost, so is the right to go on.
            work = connectMaster(database.url(""));
            waitForLock(() -> tryLock(work));
        }

        @Override
        boolean tryLock(Connection connection) throws Exception {
            return number(connection, "SELECT GET_LOCK(?, 5)", "wso2_bootstrap." + database.name) == 1;
        }

        @Override
        void unlock() throws Exception {
            work.close();
        }

        @Override
        void open() throws Exception {
            execute(work, "CREATE DATABASE IF NOT EXISTS wso2_bootstrap");
            execute(work, "CREATE TABLE IF NOT EXISTS " + LEDGER + " (" + LEDGER_COLUMNS + ") ENGINE=InnoDB");
            // The identity script mixes latin1 tables with ones that inherit the database's character set, and a
            // foreign key between the two fails.
            boolean exists = number(work, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?",
                    database.name) > 0;
            if (!exists) {
                execute(work, "CREATE DATABASE " + database.name + " CHARACTER SET latin1");
                say("created the database " + database.name);
            } else if (!hasContent()) {
                execute(work, "ALTER DATABASE " + database.name + " CHARACTER SET latin1");
            }
            work.setCatalog(database.name);
        }

        @Override
        Entry ledger() throws Exception {
            return readEntry(work, LEDGER, database.name);
        }

        @Override
        void record(String state) throws Exception {
            writeEntry(work, LEDGER, database, settings, state);
        }

        @Override
        Set<String> tables() throws Exception {
            return names(work, "SELECT table_name FROM information_schema.tables WHERE table_schema = ?",
                    database.name);
        }

        @Override
        boolean hasContent() throws Exception {
            return !tables().isEmpty() || number(work,
                    "SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = ?", database.name) > 0;
        }

        /** The name as GRANT takes it, where an underscore stands for any character. */
        private String pattern() {
            return database.name.replace("_", "\\_");
        }

        @Override
        boolean serverMayWrite() throws Exception {
            return number(work, "SELECT COUNT(*) FROM information_schema.schema_privileges"
                    + " WHERE table_schema IN (?, ?) AND (grantee LIKE ? OR grantee LIKE ?)",
                    database.name, pattern(), "'" + pattern() + "'@%", "'" + pattern() + "\\_b'@%") > 0;
        }

        @Override
        void recreate() throws Exception {
            execute(work, "DROP DATABASE " + database.name);
            open();
        }

        @Override
        void grant() throws Exception {
            String account = "'" + database.user + "'@'%'";
            boolean exists = isAccount(database.user);
            if (!exists) {
                execute(work, "CREATE USER " + account + " IDENTIFIED BY '" + database.password + "' REQUIRE SSL");
                say("set the password of " + database.user);
            }
            execute(work, "GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, LOCK TABLES, CREATE TEMPORARY TABLES ON `"
                    + pattern() + "`.* TO " + account);
            if (exists && !passwordWorks(database.url(database.name))) {
                execute(work, "ALTER USER " + account + " IDENTIFIED BY '" + database.password + "' REQUIRE SSL");
                say("set the password of " + database.user);
            }
        }

        @Override
        boolean isAccount(String account) throws Exception {
            return number(work, "SELECT COUNT(*) FROM mysql.user WHERE user = ? AND host = '%'", account) > 0;
        }

        @Override
        long sessions(String account) throws Exception {
            return number(work, "SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?", account);
        }

        @Override
        void revoke() throws Exception {
            execute(work, "DROP USER '" + database.revoked + "'@'%'");
        }

        private String client(String sql) {
            return "mysql -h " + database.host + " -u " + database.masterUser + " -p -e \"" + sql + "\"";
        }

        @Override
        String dropCommand() {
            return client("DROP DATABASE " + database.name + "; DELETE FROM " + LEDGER + " WHERE database_name = '"
                    + database.name + "';");
        }

        @Override
        String forgetCommand() {
            return client("DELETE FROM " + LEDGER + " WHERE database_name = '" + database.name + "';");
        }

        @Override
        String updateCommand(String set) {
            return client("UPDATE " + LEDGER + " SET " + set + " WHERE database_name = '" + database.name + "';");
        }

        @Override
        String adoptCommand() throws Exception {
            return client(insertEntry(LEDGER, database, settings.version));
        }
    }

    /** DDL is transactional here as in PostgreSQL; only CREATE DATABASE and CREATE LOGIN stand outside. */
    static class SQLServer extends Engine {
        private static final String LEDGER = "wso2_bootstrap.ledger";
        private Connection admin;

        SQLServer(Settings settings, Database database) {
            super(settings, database);
        }

        @Override
        String timeoutProperty() {
            return "loginTimeout";
        }

        @Override
        int timeoutUnit() {
            return 1;
        }

        @Override
        boolean isLoginFailure(SQLException e) {
            // 18456: login failed. 4060 is a database that does not exist or is not open to this login.
            return e.getErrorCode() == 18456 || e.getErrorCode() == 4060;
        }

        @Override
        boolean transactional() {
            return true;
        }

        @Override
        void lock() throws Exception {
            admin = connectMaster(database.url("master"));
            waitForLock(() -> tryLock(admin));
        }

        @Override
        boolean tryLock(Connection connection) throws Exception {
            return number(connection, "DECLARE @r INT; EXEC @r = sp_getapplock @Resource = ?,"
                    + " @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = 5000; SELECT @r",
                    "wso2_bootstrap." + database.name) >= 0;
        }

        @Override
        void unlock() throws Exception {
            admin.close();
        }

        @Override
        void open() throws Exception {
            if (number(admin, "SELECT COUNT(*) FROM sys.databases WHERE name = ?", database.name) == 0) {
                execute(admin, "CREATE DATABASE [" + database.name + "]");
                say("created the database " + database.name);
            }
            work = connectMaster(database.url(database.name));
            execute(work, "SET XACT_ABORT ON");
            work.setAutoCommit(false);
        }

        @Override
        Entry ledger() throws Exception {
            if (number(work, "SELECT COUNT(*) FROM sys.tables WHERE object_id = OBJECT_ID('" + LEDGER + "')") == 0) {
                return null;
            }
            return readEntry(work, LEDGER, database.name);
        }

        @Override
        void record(String state) throws Exception {
            if (state.equals("applying")) {
                return;
            }
            execute(work, CREATE_LEDGER);
            writeEntry(work, LEDGER, database, settings, state);
        }

        private static final String CREATE_LEDGER = "IF SCHEMA_ID('wso2_bootstrap') IS NULL"
                + " EXEC('CREATE SCHEMA wso2_bootstrap'); IF OBJECT_ID('" + LEDGER + "') IS NULL CREATE TABLE " + LEDGER
                + " (" + LEDGER_COLUMNS + ")";

        private static final String OWN = " FROM sys.objects WHERE is_ms_shipped = 0"
                + " AND schema_id <> ISNULL(SCHEMA_ID('wso2_bootstrap'), -1)";

        @Override
        Set<String> tables() throws Exception {
            return names(work, "SELECT name" + OWN + " AND type = 'U'");
        }

        @Override
        boolean hasContent() throws Exception {
            return number(work, "SELECT COUNT(*)" + OWN) > 0;
        }

        @Override
        boolean serverMayWrite() {
            return true;
        }

        @Override
        void recreate() {
            throw new IllegalStateException("a transaction leaves nothing to make again");
        }

        @Override
        void grant() throws Exception {
            String name = database.user;
            work.commit();
            boolean exists = isAccount(name);
            if (!exists) {
                // Without the policy a wrong password in one place cannot lock every node out.
                execute(admin, "CREATE LOGIN [" + name + "] WITH PASSWORD = N'" + database.password
                        + "', DEFAULT_DATABASE = [" + database.name + "], CHECK_POLICY = OFF");
                say("set the password of " + name);
            }
            execute(work, "IF DATABASE_PRINCIPAL_ID('" + name + "') IS NULL CREATE USER [" + name + "] FOR LOGIN ["
                    + name + "] ELSE ALTER USER [" + name + "] WITH LOGIN = [" + name + "]");
            execute(work, "ALTER ROLE db_datareader ADD MEMBER [" + name + "]");
            execute(work, "ALTER ROLE db_datawriter ADD MEMBER [" + name + "]");
            execute(work, "GRANT EXECUTE TO [" + name + "]");
            execute(work, "DENY INSERT, UPDATE, DELETE ON SCHEMA::wso2_bootstrap TO [" + name + "]");
            work.commit();
            if (exists && !passwordWorks(database.url(database.name))) {
                execute(admin, "ALTER LOGIN [" + name + "] WITH PASSWORD = N'" + database.password + "'");
                say("set the password of " + name);
            }
        }

        @Override
        boolean isAccount(String account) throws Exception {
            return number(admin, "SELECT COUNT(*) FROM sys.sql_logins WHERE name = ?", account) > 0;
        }

        @Override
        long sessions(String account) throws Exception {
            return number(admin, "SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE login_name = ?", account);
        }

        @Override
        void revoke() throws Exception {
            execute(work, "IF DATABASE_PRINCIPAL_ID('" + database.revoked + "') IS NOT NULL DROP USER ["
                    + database.revoked + "]");
            work.commit();
            execute(admin, "DROP LOGIN [" + database.revoked + "]");
        }

        private String client(String db, String sql) {
            return "sqlcmd -S " + database.host + "," + database.port + " -U " + database.masterUser + " -d " + db
                    + " -Q \"" + sql + "\"";
        }

        @Override
        String dropCommand() {
            return client("master", "DROP DATABASE [" + database.name + "];");
        }

        @Override
        String forgetCommand() {
            return client(database.name, "DELETE FROM " + LEDGER + ";");
        }

        @Override
        String updateCommand(String set) {
            return client(database.name, "UPDATE " + LEDGER + " SET " + set + ";");
        }

        @Override
        String adoptCommand() throws Exception {
            return client(database.name, CREATE_LEDGER + "; " + insertEntry(LEDGER, database, settings.version));
        }
    }

    /** A logical database is a schema, made by the master account; DDL commits. */
    static class Oracle extends Engine {
        private static final String LEDGER = "wso2_bootstrap_ledger";
        private static final String LOCKS = "wso2_bootstrap_locks";
        private final String schema;
        private Connection lock;

        Oracle(Settings settings, Database database) {
            super(settings, database);
            schema = (database.owned ? database.user : database.name).toUpperCase(Locale.ROOT);
        }

        @Override
        String timeoutProperty() {
            return "oracle.net.CONNECT_TIMEOUT";
        }

        @Override
        int timeoutUnit() {
            return 1000;
        }

        @Override
        boolean isLoginFailure(SQLException e) {
            // ORA-01017 wrong password, ORA-28000 locked, ORA-01045 no CREATE SESSION.
            return e.getErrorCode() == 1017 || e.getErrorCode() == 28000 || e.getErrorCode() == 1045;
        }

        @Override
        boolean isTransient(SQLException e) {
            // ORA-01033 and ORA-01034 starting up, ORA-12514 and ORA-12505 not yet known to the listener, ORA-17002
            // and ORA-12541 not listening.
            return super.isTransient(e)
                    || List.of(1033, 1034, 12505, 12514, 12541, 17002).contains(e.getErrorCode());
        }

        @Override
        boolean transactional() {
            return false;
        }

        private void createTable(String sql) throws SQLException {
            try {
                execute(work, sql);
            } catch (SQLException e) {
                if (e.getErrorCode() != 955) { // ORA-00955: it is there.
                    throw e;
                }
            }
        }

        @Override
        void lock() throws Exception {
            work = connectMaster(database.url(database.name));
            createTable("CREATE TABLE " + LEDGER + " (" + LEDGER_COLUMNS.replace("VARCHAR(", "VARCHAR2(") + ")");
            createTable("CREATE TABLE " + LOCKS + " (name VARCHAR2(64) PRIMARY KEY)");
            try {
                update(work, "INSERT INTO " + LOCKS + " VALUES (?)", database.name);
            } catch (SQLException e) {
                if (e.getErrorCode() != 1) { // ORA-00001: another node was first.
                    throw e;
                }
            }
            // DDL commits and so gives up row locks: the lock has a connection of its own.
            lock = connectMaster(database.url(database.name));
            lock.setAutoCommit(false);
            waitForLock(() -> {
                try {
                    names(lock, "SELECT name FROM " + LOCKS + " WHERE name = ? FOR UPDATE WAIT 5", database.name);
                    return true;
                } catch (SQLException e) {
                    if (e.getErrorCode() == 30006) { // ORA-30006: still locked.
                        return false;
                    }
                    throw e;
                }
            });
        }

        @Override
        void unlock() throws Exception {
            lock.rollback();
            lock.close();
        }

        @Override
        void open() throws Exception {
            if (number(work, "SELECT COUNT(*) FROM all_users WHERE username = ?", schema) == 0) {
                // Without CREATE SESSION nobody can write until the last script has run.
                execute(work, "CREATE USER " + schema + " IDENTIFIED BY \"" + database.password + "\"");
                execute(work, "BEGIN FOR t IN (SELECT property_value name FROM database_properties WHERE property_name"
                        + " = 'DEFAULT_PERMANENT_TABLESPACE') LOOP EXECUTE IMMEDIATE 'ALTER USER " + schema
                        + " QUOTA UNLIMITED ON ' || t.name; END LOOP; END;");
                say("created the schema " + schema);
            }
            execute(work, "ALTER SESSION SET CURRENT_SCHEMA = " + schema);
        }

        @Override
        String ledgerTable() {
            return database.masterUser.toUpperCase(Locale.ROOT) + "." + LEDGER;
        }

        @Override
        Entry ledger() throws Exception {
            return readEntry(work, ledgerTable(), database.name);
        }

        @Override
        void run(Script script, Sql sql) throws SQLException {
            // Fails when the lock's connection, and with it the lock, is lost.
            names(lock, "SELECT name FROM " + LOCKS);
            super.run(script, sql);
        }

        @Override
        void record(String state) throws Exception {
            writeEntry(work, ledgerTable(), database, settings, state);
        }

        @Override
        Set<String> tables() throws Exception {
            return names(work, "SELECT table_name FROM all_tables WHERE owner = ?", schema);
        }

        @Override
        boolean hasContent() throws Exception {
            return number(work, "SELECT COUNT(*) FROM all_objects WHERE owner = ?", schema) > 0;
        }

        @Override
        boolean serverMayWrite() throws Exception {
            return number(work, "SELECT COUNT(*) FROM dba_sys_privs WHERE grantee = ?", schema) > 0;
        }

        @Override
        void recreate() throws Exception {
            execute(work, "ALTER SESSION SET CURRENT_SCHEMA = " + database.masterUser.toUpperCase(Locale.ROOT));
            execute(work, "DROP USER " + schema + " CASCADE");
            open();
        }

        @Override
        void grant() throws Exception {
            execute(work, "GRANT CREATE SESSION TO " + schema);
            if (!passwordWorks(database.url(database.name))) {
                execute(work, "ALTER USER " + schema + " IDENTIFIED BY \"" + database.password + "\" ACCOUNT UNLOCK");
                say("set the password of " + database.name);
            }
        }

        /** The schema is its one account: config refuses a rotation. */
        @Override
        boolean isAccount(String account) {
            return false;
        }

        @Override
        long sessions(String account) {
            return 0;
        }

        @Override
        void revoke() {
            throw new IllegalStateException("a schema cannot lose its account");
        }

        private String client(String sql) {
            return "in sqlplus " + database.masterUser + "@" + database.url.replaceFirst("^jdbc:oracle:thin:@", "")
                    + ": " + sql;
        }

        @Override
        String dropCommand() {
            return client("DROP USER " + schema + " CASCADE; DELETE FROM " + LEDGER + " WHERE database_name = '"
                    + database.name + "'; COMMIT;");
        }

        @Override
        String forgetCommand() {
            return client("DELETE FROM " + LEDGER + " WHERE database_name = '" + database.name + "'; COMMIT;");
        }

        @Override
        String updateCommand(String set) {
            return client("UPDATE " + LEDGER + " SET " + set + " WHERE database_name = '" + database.name
                    + "'; COMMIT;");
        }

        @Override
        String adoptCommand() throws Exception {
            return client(insertEntry(LEDGER, database, settings.version) + " COMMIT;");
        }
    }

    /**
     * A logical database that its owner made, with the server's account, which is the only one here. The ledger is a table
     * beside the product's, if the account may make one.
     */
    static class Owned extends Engine {
        private static final String LEDGER = "wso2_bootstrap_ledger";
        private static final String CREATE_LEDGER = "CREATE TABLE " + LEDGER + " (" + LEDGER_COLUMNS + ")";
        private final Engine dialect;

        Owned(Settings settings, Database database, Engine dialect) {
            super(settings, database);
            this.dialect = dialect;
        }

        @Override
        String timeoutProperty() {
            return dialect.timeoutProperty();
        }

        @Override
        int timeoutUnit() {
            return dialect.timeoutUnit();
        }

        @Override
        boolean isTransient(SQLException e) {
            return dialect.isTransient(e);
        }

        @Override
        boolean isLoginFailure(SQLException e) {
            return dialect.isLoginFailure(e);
        }

        @Override
        boolean transactional() {
            return dialect.transactional();
        }

        @Override
        void lock() throws Exception {
            work = connectMaster(database.url(database.name));
            dialect.work = work;
            waitForLock(() -> dialect.tryLock(work));
        }

        @Override
        void unlock() throws Exception {
            work.close();
        }

        @Override
        void open() throws Exception {
            if (dialect instanceof SQLServer) {
                execute(work, "SET XACT_ABORT ON");
            }
            work.setAutoCommit(!transactional());
        }

        /** The names of tables as the engine writes them. */
        private List<String> stored(String pattern) throws Exception {
            List<String> names = new ArrayList<>();
            String schema = dialect instanceof Oracle ? work.getSchema() : null;
            try (ResultSet rows = work.getMetaData().getTables(work.getCatalog(), schema, pattern,
                    new String[] {"TABLE", "PARTITIONED TABLE"})) {
                while (rows.next()) {
                    names.add(rows.getString("TABLE_NAME"));
                }
            }
            return names;
        }

        private boolean hasLedger() throws Exception {
            return !stored(dialect instanceof Oracle ? LEDGER.toUpperCase(Locale.ROOT) : LEDGER).isEmpty();
        }

        @Override
        String ledgerTable() {
            return LEDGER;
        }

        @Override
        Entry ledger() throws Exception {
            return hasLedger() ? readEntry(work, LEDGER, database.name) : null;
        }

        @Override
        void record(String state) throws Exception {
            boolean first = state.equals("applying");
            if (!hasLedger()) {
                try {
                    execute(work, CREATE_LEDGER);
                } catch (SQLException e) {
                    if (transactional()) {
                        work.rollback();
                    }
                    if (first) {
                        throw refuse("the database " + database.name + " on " + database.host + " is empty, and the account "
                                + database.user + " cannot make a table (" + oneLine(e) + "). Let it make tables, or have the"
                                + " owner run the product's scripts there: " + database.scriptNames());
                    }
                    say("the account " + database.user + " cannot make a table (" + oneLine(e) + "), so that no ledger keeps"
                            + " the release and the check of the encryption key");
                    return;
                }
            }
            if (first && dialect instanceof MySQL) {
                useLatin1();
            }
            writeEntry(work, LEDGER, database, settings, state);
        }

        /** The identity script fails in a database of another character set; see MySQL.open. */
        private void useLatin1() throws Exception {
            if (names(work, "SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = ?",
                    database.name).contains("latin1")) {
                return;
            }
            String sql = "ALTER DATABASE " + database.name + " CHARACTER SET latin1";
            try {
                execute(work, sql);
            } catch (SQLException e) {
                throw refuse("the product's scripts need another character set of the database, which the account "
                        + database.user + " cannot choose (" + oneLine(e) + "). Have the owner run: " + sql + ";");
            }
        }

        @Override
        Set<String> tables() throws Exception {
            Set<String> tables = dialect.tables();
            tables.remove(LEDGER);
            return tables;
        }

        /** A ledger without an entry is from a run that ended before its first script. */
        @Override
        boolean hasContent() throws Exception {
            return !tables().isEmpty() || !hasLedger() && dialect.hasContent();
        }

        @Override
        void rebuild(Set<String> expected, Set<String> found) throws Exception {
            throw refuse("making the schema of " + database.name + " was interrupted, or another program is at work on it."
                    + " The account " + database.user + " is that of servers, so nothing was dropped. If nobody needs its"
                    + " content: " + dropCommand());
        }

        @Override
        boolean serverMayWrite() {
            return true;
        }

        @Override
        void recreate() {
            throw new IllegalStateException("the database is its owner's");
        }

        /** Its owner granted already. A server would start without a privilege, and fail where it needs it. */
        @Override
        void grant() throws Exception {
            Set<String> expected = database.tables();
            String quote = work.getMetaData().getIdentifierQuoteString();
            for (String table : stored("%")) {
                for (String statement : List.of("SELECT 1 FROM ", "DELETE FROM ")) {
                    if (!expected.contains(table.toLowerCase(Locale.ROOT))) {
                        continue;
                    }
                    try {
                        execute(work, statement + quote + table + quote + " WHERE 1 = 0");
                    } catch (SQLException e) {
                        throw refuse("servers log in as " + database.user + ", which cannot use the table " + table + " ("
                                + oneLine(e) + "). Have the owner grant SELECT, INSERT, UPDATE and DELETE on all of the"
                                + " product's tables, in the account's default schema");
                    }
                }
            }
            if (transactional()) {
                work.commit();
            }
        }

        @Override
        boolean isAccount(String account) {
            return false;
        }

        @Override
        long sessions(String account) {
            return 0;
        }

        @Override
        void revoke() {
            throw new IllegalStateException("the account is its owner's");
        }

        private String as(String sql) {
            return "as " + database.user + " in " + database.name + ": " + sql;
        }

        @Override
        String dropCommand() {
            return "as an administrator, drop " + database.name + " and make it again, empty.";
        }

        @Override
        String forgetCommand() {
            return as("DELETE FROM " + LEDGER + ";");
        }

        @Override
        String updateCommand(String set) {
            return as("UPDATE " + LEDGER + " SET " + set + ";");
        }

        @Override
        String adoptCommand() throws Exception {
            return as((hasLedger() ? "" : CREATE_LEDGER + "; ") + insertEntry(LEDGER, database, settings.version));
        }
    }

    // --------------------------------------------------------------------------------------------------- the ledger

    static final String LEDGER_COLUMNS = "database_name VARCHAR(64) PRIMARY KEY, state VARCHAR(10) NOT NULL,"
            + " product_version VARCHAR(20) NOT NULL, checksum VARCHAR(64) NOT NULL, scripts VARCHAR(1000) NOT NULL,"
            + " changed_at VARCHAR(30) NOT NULL, key_check VARCHAR(200)";

    /** A ledger that an earlier program made has no column for the check of the encryption key. */
    static void addKeyCheck(Connection connection, String table) throws SQLException {
        if (hasKeyCheck(connection, table)) {
            return;
        }
        try {
            execute(connection, "ALTER TABLE " + table + " ADD key_check VARCHAR(200)");
        } catch (SQLException e) {
            // Whoever makes another logical database of the same ledger may have been first.
            if (!connection.getAutoCommit() || !hasKeyCheck(connection, table)) {
                throw e;
            }
        }
    }

    static boolean hasKeyCheck(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet none = statement.executeQuery("SELECT * FROM " + table + " WHERE 1 = 0")) {
            for (int i = 1; i <= none.getMetaData().getColumnCount(); i++) {
                if (none.getMetaData().getColumnName(i).equalsIgnoreCase("key_check")) {
                    return true;
                }
            }
            return false;
        }
    }

    static Entry readEntry(Connection connection, String table, String name) throws SQLException {
        addKeyCheck(connection, table);
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT state, product_version, checksum, key_check FROM " + table + " WHERE database_name = ?")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next()
                        ? new Entry(rows.getString(1), rows.getString(2), rows.getString(3), rows.getString(4)) : null;
            }
        }
    }

    static void writeEntry(Connection connection, String table, Database database, Settings settings, String state)
            throws Exception {
        String check = KeyCheck.of(settings.encryptionKey);
        String now = java.time.Instant.now().truncatedTo(java.time.temporal.ChronoUnit.SECONDS).toString();
        int changed = update(connection, "UPDATE " + table + " SET state = ?, product_version = ?, checksum = ?,"
                + " scripts = ?, changed_at = ?, key_check = ? WHERE database_name = ?",
                state, settings.version, database.checksum(), database.scriptNames(), now, check, database.name);
        if (changed == 0) {
            update(connection, "INSERT INTO " + table + " (state, product_version, checksum, scripts, changed_at,"
                    + " key_check, database_name) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    state, settings.version, database.checksum(), database.scriptNames(), now, check, database.name);
        }
    }

    /** The statement with which a person records that a schema is complete. */
    static String insertEntry(String table, Database database, String version) throws Exception {
        return "INSERT INTO " + table + " (database_name, state, product_version, checksum, scripts, changed_at) VALUES"
                + " ('" + database.name + "', 'done', '" + version + "', '" + database.checksum() + "', '"
                + database.scriptNames() + "', 'adopted by hand');";
    }

    /**
     * What a database keeps of the encryption key: a salted PBKDF2, from which the key cannot be computed. A key has 128
     * random bits at least, so that nobody finds it by trying. The iterations are those that OWASP's password storage cheat
     * sheet asks of PBKDF2-HMAC-SHA256; they protect a key that somebody made up.
     */
    static class KeyCheck {
        static final String ALGORITHM = "pbkdf2-sha256";
        static final int ITERATIONS = 600_000;
        static final int SALT_BYTES = 16;

        static String of(String key) throws GeneralSecurityException {
            byte[] salt = new byte[SALT_BYTES];
            new SecureRandom().nextBytes(salt);
            return write(key, ITERATIONS, hex(salt));
        }

        static boolean opens(String check, String key) throws Exception {
            String[] parts = check.split("\\$");
            if (parts.length != 4 || !parts[0].equals(ALGORITHM) || !parts[1].matches("[1-9][0-9]{3,8}")
                    || !parts[2].matches("[0-9a-f]+")) {
                throw new Failure(REFUSED, "the ledger's check of the encryption key was not written by this program: "
                        + check);
            }
            String again = write(key, Integer.parseInt(parts[1]), parts[2]);
            return MessageDigest.isEqual(again.getBytes(StandardCharsets.UTF_8), check.getBytes(StandardCharsets.UTF_8));
        }

        private static String write(String key, int iterations, String salt) throws GeneralSecurityException {
            PBEKeySpec spec = new PBEKeySpec(key.toCharArray(), salt.getBytes(StandardCharsets.UTF_8),
                    iterations, 256);
            byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
            return ALGORITHM + "$" + iterations + "$" + salt + "$" + hex(hash);
        }
    }

    // ------------------------------------------------------------------------------------------------------- scripts

    /** One statement (for SQL Server: one batch) of a script. */
    static class Sql {
        private static final Pattern TABLE = Pattern.compile(
                "\\b(CREATE|DROP)\\s+TABLE\\s+(?:IF\\s+(?:NOT\\s+)?EXISTS\\s+)?"
                        + "(?:[`\"\\[]?\\w+[`\"\\]]?\\.)?[`\"\\[]?(\\w+)",
                Pattern.CASE_INSENSITIVE);
        private static final Pattern TRANSACTION_CONTROL = Pattern.compile(
                "\\s*(BEGIN|COMMIT|ROLLBACK|START|END)(\\s+(WORK|TRANSACTION|TRAN))?\\s*",
                Pattern.CASE_INSENSITIVE);

        final String text;
        /** The statement without comments and without the content of strings and function bodies. */
        final String code;
        final int line;

        Sql(String text, String code, int line) {
            this.text = text;
            this.code = code;
            this.line = line;
        }

        void trackTables(Set<String> tables) {
            Matcher matcher = TABLE.matcher(code);
            while (matcher.find()) {
                String name = matcher.group(2).toLowerCase(Locale.ROOT);
                if (matcher.group(1).equalsIgnoreCase("CREATE")) {
                    tables.add(name);
                } else {
                    tables.remove(name);
                }
            }
        }

        /** A script's own BEGIN or COMMIT would end the transaction that makes a crash harmless. */
        boolean isTransactionControl() {
            return TRANSACTION_CONTROL.matcher(code).matches();
        }
    }

    /** Cuts a script into statements as the engine's own client would. */
    static class Splitter {
        private static final Pattern PLSQL = Pattern.compile(
                "\\s*(DECLARE|BEGIN|CREATE\\s+(OR\\s+REPLACE\\s+)?((NON)?EDITIONABLE\\s+)?"
                        + "(TRIGGER|FUNCTION|PROCEDURE|PACKAGE|TYPE))\\b.*",
                Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
        private static final Pattern SQLPLUS = Pattern.compile(
                "(SET\\s+(DEFINE|ECHO|SERVEROUTPUT|FEEDBACK|SQLBLANKLINES|VERIFY)|PROMPT|WHENEVER|EXIT|QUIT|SPOOL|REM"
                        + "|SHOW)\\b.*",
                Pattern.CASE_INSENSITIVE);
        private static final Pattern GO = Pattern.compile("\\s*GO\\s*;?\\s*", Pattern.CASE_INSENSITIVE);
        private static final Pattern DELIMITER = Pattern.compile("\\s*DELIMITER\\s+(\\S+)\\s*",
                Pattern.CASE_INSENSITIVE);
        private static final Pattern DOLLAR = Pattern.compile("\\$([A-Za-z_][A-Za-z0-9_]*)?\\$");

        private final boolean mysql;
        private final boolean postgres;
        private final boolean mssql;
        private final boolean oracle;
        private final String name;
        private final String in;
        private final List<Sql> out = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder code = new StringBuilder();
        private String delimiter = ";";
        private int at;

        Splitter(String engine, String name, String script) throws Failure {
            mysql = engine.equals("mysql") || engine.equals("mariadb");
            postgres = engine.equals("postgres");
            mssql = engine.equals("mssql");
            oracle = engine.equals("oracle");
            this.name = name;
            in = script.replace("\r\n", "\n");
        }

        List<Sql> split() throws Failure {
            while (at < in.length()) {
                if (atLineStart() && takeLine()) {
                    continue;
                }
                char c = in.charAt(at);
                char next = at + 1 < in.length() ? in.charAt(at + 1) : '\n';
                if (c == '-' && next == '-' && !(mysql && !dashesComment())) {
                    comment(endOfLine());
                } else if (c == '#' && mysql) {
                    comment(endOfLine());
                } else if (c == '/' && next == '*') {
                    blockComment();
                } else if ((c == 'q' || c == 'Q') && oracle && next == '\'' && !inWord()) {
                    alternativeQuote();
                } else if (c == '\'' || c == '"' || c == '`' && mysql) {
                    quoted(c, c, mysql && c != '`' || postgres && c == '\'' && escapeString());
                } else if (c == '[' && mssql) {
                    quoted('[', ']', false);
                } else if (c == '$' && postgres && !inWord() && dollarQuoted()) {
                    continue;
                } else if (!mssql && in.startsWith(delimiter, at) && !(oracle && PLSQL.matcher(code).matches())) {
                    at += delimiter.length();
                    flush();
                } else {
                    text.append(c);
                    code.append(c);
                    at++;
                }
            }
            flush();
            return out;
        }

        private boolean atLineStart() {
            return at == 0 || in.charAt(at - 1) == '\n';
        }

        private boolean inWord() {
            return at > 0 && (Character.isLetterOrDigit(in.charAt(at - 1)) || in.charAt(at - 1) == '_');
        }

        /** In MySQL two dashes begin a comment only before white space: 5--1 is six. */
        private boolean dashesComment() {
            return at + 2 >= in.length() || in.charAt(at + 2) <= ' ';
        }

        private boolean escapeString() {
            return at > 0 && (in.charAt(at - 1) == 'E' || in.charAt(at - 1) == 'e')
                    && (at < 2 || !Character.isLetterOrDigit(in.charAt(at - 2)) && in.charAt(at - 2) != '_');
        }

        private int endOfLine() {
            int end = in.indexOf('\n', at);
            return end < 0 ? in.length() : end;
        }

        /** Takes a line that is an instruction to the client instead of SQL. */
        private boolean takeLine() {
            int end = endOfLine();
            String line = in.substring(at, end);
            boolean taken = true;
            if (mssql && GO.matcher(line).matches() || oracle && line.trim().equals("/")) {
                flush();
            } else if (mysql && DELIMITER.matcher(line).matches()) {
                Matcher matcher = DELIMITER.matcher(line);
                matcher.matches();
                flush();
                delimiter = matcher.group(1);
            } else {
                taken = oracle && code.toString().trim().isEmpty() && SQLPLUS.matcher(line.trim()).matches();
            }
            if (taken) {
                at = Math.min(end + 1, in.length());
            }
            return taken;
        }

        private void comment(int end) {
            text.append(in, at, end);
            code.append(' ');
            at = end;
        }

        private void blockComment() throws Failure {
            boolean nests = postgres || mssql;
            int depth = 1;
            int end = at + 2;
            while (depth > 0) {
                int close = in.indexOf("*/", end);
                int open = nests ? in.indexOf("/*", end) : -1;
                if (close < 0) {
                    throw unterminated("comment");
                }
                boolean deeper = open >= 0 && open < close;
                depth += deeper ? 1 : -1;
                end = (deeper ? open : close) + 2;
            }
            if (mysql && in.startsWith("/*!", at)) {
                code.append(in, at, end);
            }
            comment(end);
        }

        private void quoted(char open, char close, boolean backslash) throws Failure {
            int end = at + 1;
            while (true) {
                if (end >= in.length()) {
                    throw unterminated("quote " + open);
                }
                char c = in.charAt(end);
                if (c == '\\' && backslash) {
                    end += 2;
                } else if (c == close && end + 1 < in.length() && in.charAt(end + 1) == close) {
                    end += 2;
                } else if (c == close) {
                    break;
                } else {
                    end++;
                }
            }
            text.append(in, at, end + 1);
            // A string's content is data; a quoted identifier is code.
            code.append(open == '\'' ? "''" : in.substring(at, end + 1));
            at = end + 1;
        }

        private void alternativeQuote() throws Failure {
            String brackets = "[](){}<>";
            char open = at + 2 < in.length() ? in.charAt(at + 2) : '\'';
            int pair = brackets.indexOf(open);
            int end = in.indexOf((pair >= 0 ? brackets.charAt(pair + 1) : open) + "'", at + 3);
            if (end < 0) {
                throw unterminated("quote q'");
            }
            text.append(in, at, end + 2);
            code.append("''");
            at = end + 2;
        }

        private boolean dollarQuoted() throws Failure {
            Matcher matcher = DOLLAR.matcher(in).region(at, in.length());
            if (!matcher.lookingAt()) {
                return false;
            }
            int end = in.indexOf(matcher.group(), matcher.end());
            if (end < 0) {
                throw unterminated("quote " + matcher.group());
            }
            end += matcher.group().length();
            text.append(in, at, end);
            code.append("''");
            at = end;
            return true;
        }

        private void flush() {
            if (!code.toString().trim().isEmpty()) {
                String statement = text.toString();
                int blank = 0;
                while (Character.isWhitespace(statement.charAt(blank))) {
                    blank++;
                }
                int line = 1 + (int) in.substring(0, at).chars().filter(c -> c == '\n').count()
                        - (int) statement.substring(blank).chars().filter(c -> c == '\n').count();
                out.add(new Sql(statement.trim(), code.toString(), line));
            }
            text.setLength(0);
            code.setLength(0);
        }

        private Failure unterminated(String what) {
            long line = 1 + in.substring(0, at).chars().filter(c -> c == '\n').count();
            return new Failure(CONFIGURATION, name + " line " + line + ": the " + what + " never ends");
        }
    }

    static void showStatements(String engine, Path file) throws Exception {
        Path absolute = file.toAbsolutePath();
        for (Sql sql : new Script(engine, absolute.getParent(), absolute.getFileName().toString()).statements) {
            System.out.println("---- line " + sql.line);
            System.out.println(sql.text);
        }
    }

    // --------------------------------------------------------------------------------------------------- small tools

    static Collection<? extends Certificate> certificates(Path pem) throws Exception {
        try (InputStream in = Files.newInputStream(pem)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in);
        } catch (IOException | GeneralSecurityException e) {
            throw new Failure(CONFIGURATION, "cannot read certificates from " + pem + ": " + e.getMessage());
        }
    }

    static void addCertificates(KeyStore store, Path pem) throws Exception {
        for (Certificate certificate : certificates(pem)) {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
            store.setCertificateEntry("wso2is-" + hex(digest).substring(0, 16), certificate);
        }
    }

    static void trust(Path file, List<String> pems) throws Exception {
        char[] password = Database.environment("TRUSTSTORE_PASSWORD").toCharArray();
        KeyStore store = KeyStore.getInstance(file.toFile(), password);
        for (String pem : pems) {
            addCertificates(store, Path.of(pem));
        }
        Path written = file.resolveSibling(file.getFileName() + ".new");
        try (OutputStream out = Files.newOutputStream(written)) {
            store.store(out, password);
        }
        Files.move(written, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    static void forward(int port, int server) throws IOException {
        InetAddress loopback = InetAddress.getByName("127.0.0.1");
        try (ServerSocket listener = new ServerSocket(port, 50, loopback)) {
            while (true) {
                Socket caller = listener.accept();
                start(() -> {
                    try (caller; Socket called = new Socket(loopback, server)) {
                        Thread back = start(() -> copy(called, caller));
                        copy(caller, called);
                        back.join();
                    } catch (IOException | InterruptedException e) {
                        // The server is not up: the caller sees its connection closed.
                    }
                });
            }
        }
    }

    static Thread start(Runnable work) {
        Thread thread = new Thread(null, work, "forward", 256 << 10);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Copies until FROM ends, and lets TO know; where either fails, both are closed. */
    static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException e) {
            for (Socket socket : List.of(from, to)) {
                try {
                    socket.close();
                } catch (IOException alreadyClosed) {
                    continue;
                }
            }
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            statement.execute(sql);
        }
    }

    static int update(Connection connection, String sql, String... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setString(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }

    static Set<String> names(Connection connection, String sql, String... values) throws SQLException {
        Set<String> names = new TreeSet<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setString(i + 1, values[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    names.add(rows.getString(1).toLowerCase(Locale.ROOT));
                }
            }
        }
        return names;
    }

    static long number(Connection connection, String sql, String... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setString(i + 1, values[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }

    /** The same number on every node. */
    static long lockKey(String name) throws GeneralSecurityException {
        byte[] digest = MessageDigest.getInstance("SHA-256")
                .digest(("wso2_bootstrap." + name).getBytes(StandardCharsets.UTF_8));
        long key = 0;
        for (int i = 0; i < 8; i++) {
            key = key << 8 | digest[i] & 0xff;
        }
        return key;
    }

    static String hex(byte[] bytes) {
        StringBuilder hex = new StringBuilder();
        for (byte b : bytes) {
            hex.append(String.format("%02x", b));
        }
        return hex.toString();
    }

    /** A few of the names, for a message. */
    static String some(Set<String> names) {
        List<String> first = new ArrayList<>(names);
        if (first.size() <= 5) {
            return String.join(", ", first);
        }
        return String.join(", ", first.subList(0, 5)) + " and " + (first.size() - 5) + " more";
    }

    static boolean causedBy(Throwable e, Class<? extends Throwable> type) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }

    static String oneLine(Exception e) {
        return String.valueOf(e.getMessage()).replaceAll("\\s+", " ").trim();
    }

    static String scrub(String message) {
        String scrubbed = message;
        for (String secret : SECRETS) {
            scrubbed = scrubbed.replace(secret, "[secret]");
        }
        return scrubbed;
    }

    /** Ends the program with a message for the person who reads the log. */
    static class Failure extends Exception {
        private static final long serialVersionUID = 1L;
        final int status;

        Failure(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    static class LoginException extends Exception {
        private static final long serialVersionUID = 1L;

        LoginException(SQLException cause) {
            super(cause.getMessage(), cause);
        }
    }

    static class ScriptException extends SQLException {
        private static final long serialVersionUID = 1L;

        ScriptException(String message, SQLException cause) {
            super(message, cause.getSQLState(), cause.getErrorCode(), cause);
        }
    }
}
