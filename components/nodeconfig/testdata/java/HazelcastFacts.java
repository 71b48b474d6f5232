import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.TreeSet;

/** Answers questions about whichever Hazelcast is on the class path, a line for a line. */
public final class HazelcastFacts {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "match": // does the interface pattern match the address?
                    System.out.println(addressUtil("matchInterface", String.class, String.class)
                            .invoke(null, words[2], words[1]));
                    break;
                case "expand": // which addresses does a well-known member stand for?
                    Object matcher = addressUtil("getAddressMatcher", String.class).invoke(null, words[1]);
                    Object all = addressUtil("getMatchingIpv4Addresses", matcher.getClass().getSuperclass())
                            .invoke(null, matcher);
                    TreeSet<String> sorted = new TreeSet<>();
                    for (Object address : (Collection<?>) all) {
                        sorted.add(address.toString());
                    }
                    System.out.println(String.join(" ", sorted));
                    break;
                case "properties": // which properties does discovery on AWS take?
                    System.out.println(String.join(" ", awsProperties()));
                    break;
                case "ports": // which ports does it probe, left alone?
                    Field range = Class.forName("com.hazelcast.aws.AwsDiscoveryStrategy")
                            .getDeclaredField("DEFAULT_PORT_RANGE");
                    range.setAccessible(true);
                    System.out.println(range.get(null));
                    break;
                default:
                    throw new IllegalArgumentException(line);
            }
        }
    }

    private static Method addressUtil(String name, Class<?>... parameters) throws Exception {
        Class<?> util;
        try {
            util = Class.forName("com.hazelcast.internal.util.AddressUtil");
        } catch (ClassNotFoundException e) {
            util = Class.forName("com.hazelcast.util.AddressUtil"); // before Hazelcast 4
        }
        return util.getMethod(name, parameters);
    }

    private static Iterable<String> awsProperties() throws Exception {
        Class<?> factory = Class.forName("com.hazelcast.aws.AwsDiscoveryStrategyFactory");
        Object instance = factory.getDeclaredConstructor().newInstance();
        TreeSet<String> names = new TreeSet<>();
        for (Object definition : (Iterable<?>) factory.getMethod("getConfigurationProperties").invoke(instance)) {
            Method key = Class.forName("com.hazelcast.config.properties.PropertyDefinition").getMethod("key");
            names.add((String) key.invoke(definition));
        }
        return names;
    }
}
