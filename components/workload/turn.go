package workload

import (
	_ "embed"
	"strconv"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
)

//go:embed programs/turn.sh
var turnProgram string

// turnSeconds is the time that a pod waits for the first one: a little more than its start may take.
const turnSeconds = startSeconds + 120

// turn is the init container that starts the very first pods one after the other. A StatefulSet would do this at every
// start and update; here a pod only waits while no pod serves.
func (b *builder) turn() corev1.ContainerArgs {
	env := plainEnv(map[string]string{"SERVICE": Name, "WAIT_SECONDS": strconv.Itoa(turnSeconds)})
	env = append(env, fieldEnv("NAMESPACE", "metadata.namespace"), fieldEnv("POD", "metadata.name"),
		fieldEnv(nodeconfig.EnvNodeIP, "status.podIP"))
	return corev1.ContainerArgs{
		Name: pulumi.String("turn"), Image: pulumi.String(b.Config.Container.ToolsImage),
		Command:         awskit.Strings([]string{"bash", "-c", turnProgram, "turn"}),
		ImagePullPolicy: pulumi.String("IfNotPresent"), Env: env, Resources: small, SecurityContext: locked(true),
		VolumeMounts: mounts(temporary),
	}
}
