import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.TcpIpConfig;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.spi.properties.ClusterProperty;
import com.hazelcast.spi.properties.HazelcastProperties;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts a Hazelcast member for each argument, configured as WSO2's agent does for the scheme wka, and prints how many
 * members each of them sees. An argument is: domain host port member,member name=value ...
 */
public final class HazelcastMembers {
    public static void main(String[] arguments) {
        List<HazelcastInstance> members = new ArrayList<>();
        for (String argument : arguments) {
            Config config = configure(argument.split(" "));
            members.add(Hazelcast.newHazelcastInstance(config));
            System.out.println("heartbeat "
                    + new HazelcastProperties(config).getSeconds(ClusterProperty.MAX_NO_HEARTBEAT_SECONDS));
        }
        for (HazelcastInstance member : members) {
            System.out.println("members " + member.getCluster().getMembers().size() + " port "
                    + member.getCluster().getLocalMember().getAddress().getPort());
        }
        Hazelcast.shutdownAll();
    }

    private static Config configure(String[] words) {
        Config config = new Config();
        config.setClusterName(words[0]);
        config.setInstanceName(words[0] + ":" + words[2]);
        config.getNetworkConfig().setPublicAddress(words[1]).setPort(Integer.parseInt(words[2]));
        JoinConfig join = config.getNetworkConfig().getJoin();
        join.getAutoDetectionConfig().setEnabled(false);
        join.getMulticastConfig().setEnabled(false);
        TcpIpConfig tcpIp = join.getTcpIpConfig().setEnabled(true);
        for (String member : words[3].split(",")) {
            tcpIp.addMember(member);
        }
        for (int i = 4; i < words.length; i++) {
            String[] property = words[i].split("=", 2);
            config.setProperty(property[0], property[1]);
        }
        // Not the server's: there is no log4j2 here, and a test tells nobody that it ran.
        config.setProperty("hazelcast.logging.type", "none");
        config.setProperty("hazelcast.phone.home.enabled", "false");
        return config;
    }
}
