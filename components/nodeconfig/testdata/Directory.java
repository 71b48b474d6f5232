import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Properties;
import javax.naming.Context;
import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.BasicAttribute;
import javax.naming.directory.BasicAttributes;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;
import javax.naming.directory.SearchControls;
import javax.naming.directory.SearchResult;

/**
 * Does with a directory what the product's user store does, with the properties of a user store on standard input: finds,
 * adds, changes and deletes users and groups with the attributes and filters that they name. What it does in which order is
 * what UniqueIDReadWriteLDAPUserStoreManager of carbon-kernel 4.10.42 does.
 */
public class Directory {
    static Properties p = new Properties();

    public static void main(String[] args) throws Exception {
        p.load(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        DirContext directory = connect(p.getProperty("ConnectionName"), p.getProperty("ConnectionPassword"));
        String alice = addUser(directory, "alice", "first-password");
        String bob = addUser(directory, "bob", "other-password");
        say("ids differ", !alice.equals(bob));
        say("name by id", one(directory, "UserSearchBase", "UserIdSearchFilter", alice, p.getProperty("UserNameAttribute"))
                .equals("alice"));
        say("users listed", all(directory, "UserSearchBase", p.getProperty("UserNameListFilter")).size() >= 2);
        connect(dn(directory, "alice"), "first-password").close();
        say("login", true);

        DirContext users = (DirContext) directory.lookup(p.getProperty("UserSearchBase"));
        BasicAttributes changed = new BasicAttributes(true);
        changed.put("mail", "alice@example.com");
        SearchResult found = search(directory, "UserSearchBase", p.getProperty("UserIdSearchFilter").replace("?", alice));
        users.modifyAttributes(found.getName(), DirContext.REPLACE_ATTRIBUTE, changed);
        say("changed", one(directory, "UserSearchBase", "UserNameSearchFilter", "alice", "mail").equals("alice@example.com"));

        DirContext groups = (DirContext) directory.lookup(p.getProperty("GroupSearchBase"));
        if (Boolean.parseBoolean(p.getProperty("EmptyRolesAllowed"))) {
            addGroup(groups, "empty");
        }
        addGroup(groups, "staff", dn(directory, "alice"));
        String staff = one(directory, "GroupSearchBase", "GroupNameSearchFilter", "staff", p.getProperty("GroupIdAttribute"));
        say("group has an id", !staff.isEmpty());
        member(groups, "staff", DirContext.ADD_ATTRIBUTE, dn(directory, "bob"));
        say("groups of a user", all(directory, "GroupSearchBase", "(&" + p.getProperty("GroupNameListFilter") + "("
                + p.getProperty("MembershipAttribute") + "=" + dn(directory, "bob") + "))").size() == 1);
        member(groups, "staff", DirContext.REMOVE_ATTRIBUTE, dn(directory, "bob"));
        groups.destroySubcontext("cn=staff");
        say("group is gone", all(directory, "GroupSearchBase", p.getProperty("GroupNameListFilter")).isEmpty());
        users.destroySubcontext(p.getProperty("UserNameAttribute") + "=alice");
        say("user is gone", search(directory, "UserSearchBase", p.getProperty("UserIdSearchFilter").replace("?", alice)) == null);
    }

    static void say(String what, boolean holds) {
        System.out.println((holds ? "yes: " : "NO: ") + what);
    }

    static DirContext connect(String name, String password) throws NamingException {
        Hashtable<String, String> environment = new Hashtable<>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        environment.put(Context.SECURITY_AUTHENTICATION, "simple");
        environment.put(Context.PROVIDER_URL, p.getProperty("ConnectionURL"));
        environment.put(Context.SECURITY_PRINCIPAL, name);
        environment.put(Context.SECURITY_CREDENTIALS, password);
        return new InitialDirContext(environment);
    }

    static boolean immutable(String attribute) {
        return List.of(p.getProperty("ImmutableAttributes", "").split(",")).contains(attribute);
    }

    /** The id is the store's own, or the one that the directory gave. */
    static String addUser(DirContext directory, String name, String password) throws NamingException {
        BasicAttributes attributes = new BasicAttributes(true);
        BasicAttribute classes = new BasicAttribute("objectClass");
        for (String one : p.getProperty("UserEntryObjectClass").split("/")) {
            classes.add(one);
        }
        attributes.put(classes);
        attributes.put(p.getProperty("UserNameAttribute"), name);
        attributes.put("userPassword", password.getBytes(StandardCharsets.UTF_8));
        String id = java.util.UUID.randomUUID().toString();
        if (!immutable(p.getProperty("UserIDAttribute"))) {
            attributes.put(p.getProperty("UserIDAttribute"), id);
        }
        attributes.put("cn", name);
        attributes.put("sn", name);
        DirContext users = (DirContext) directory.lookup(p.getProperty("UserSearchBase"));
        users.bind(p.getProperty("UserNameAttribute") + "=" + name, null, attributes);
        String stored = one(directory, "UserSearchBase", "UserNameSearchFilter", name, p.getProperty("UserIDAttribute"));
        if (!immutable(p.getProperty("UserIDAttribute"))) {
            say("the id is kept", stored.equals(id));
        }
        return stored;
    }

    static void addGroup(DirContext groups, String name, String... members) throws NamingException {
        BasicAttributes attributes = new BasicAttributes(true);
        attributes.put("objectClass", p.getProperty("GroupEntryObjectClass"));
        attributes.put("cn", name);
        if (!immutable(p.getProperty("GroupIdAttribute"))) {
            attributes.put(p.getProperty("GroupIdAttribute"), java.util.UUID.randomUUID().toString());
        }
        if (members.length > 0) {
            BasicAttribute member = new BasicAttribute(p.getProperty("MembershipAttribute"));
            for (String one : members) {
                member.add(one);
            }
            attributes.put(member);
        }
        groups.bind("cn=" + name, null, attributes);
    }

    static void member(DirContext groups, String name, int change, String dn) throws NamingException {
        BasicAttributes changed = new BasicAttributes(true);
        changed.put(p.getProperty("MembershipAttribute"), dn);
        groups.modifyAttributes("cn=" + name, change, changed);
    }

    static String dn(DirContext directory, String name) throws NamingException {
        return search(directory, "UserSearchBase", p.getProperty("UserNameSearchFilter").replace("?", name)).getNameInNamespace();
    }

    static SearchResult search(DirContext directory, String base, String filter) throws NamingException {
        List<SearchResult> all = all(directory, base, filter);
        return all.isEmpty() ? null : all.get(0);
    }

    static String one(DirContext directory, String base, String filter, String value, String attribute) throws NamingException {
        SearchResult found = search(directory, base, p.getProperty(filter).replace("?", value));
        Attribute got = found == null ? null : found.getAttributes().get(attribute);
        return got == null ? "" : got.get().toString();
    }

    static List<SearchResult> all(DirContext directory, String base, String filter) throws NamingException {
        SearchControls controls = new SearchControls();
        controls.setSearchScope(SearchControls.SUBTREE_SCOPE);
        // Operational attributes are returned only where they are asked for by name.
        controls.setReturningAttributes(new String[] {p.getProperty("UserIDAttribute"), p.getProperty("UserNameAttribute"),
            p.getProperty("GroupIdAttribute"), "mail", p.getProperty("MembershipAttribute")});
        List<SearchResult> all = new ArrayList<>();
        NamingEnumeration<SearchResult> results = directory.search(p.getProperty(base), filter, controls);
        while (results.hasMore()) {
            all.add(results.next());
        }
        return all;
    }
}
