package drill

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
)

// words are those of a service of ECS or of a Deployment of Kubernetes: for a node, for one that serves, for all of them, and for the
// longest time until one serves.
func (d *driller) words() (node, good, all, longest string) {
	if d.Kubernetes != nil {
		return "pod", "Ready", "pods of the Deployment", "startupProbe of the server"
	}
	return "task", "HEALTHY", "tasks of the service", "healthCheckGracePeriodSeconds of the service"
}

// formService starts all tasks or pods at once, as ECS and Kubernetes do. Their own programs let one server start first.
func (d *driller) formService(bound time.Duration) {
	node, good, all, longest := d.words()
	d.trial("The cluster forms, all "+all+" started at once", fmt.Sprintf("%s for each %s (%s)", Seconds(bound), node, longest), func(t *Trial) error {
		began := time.Now()
		var mu sync.Mutex
		err := atOnce(d.Nodes, func(n plan.Node) error {
			if err := d.join(n, 1); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			d.event(t, "%s is %s after %s", n.Name, good, Seconds(time.Since(began)))
			return nil
		})
		if err != nil {
			return err
		}
		if err := d.allReady(); err != nil {
			return err
		}
		took := time.Since(began)
		if err := d.formed(t); err != nil {
			return err
		}
		t.Measured = fmt.Sprintf("%d of %d, the last one after %s", len(d.Nodes), len(d.Nodes), Seconds(took))
		return nil
	})
}

// replacement gives a node's number to a spare place, and makes the node's place spare.
func (d *driller) replacement(n plan.Node) plan.Node {
	if len(d.Spare) == 0 {
		return n
	}
	i := slices.IndexFunc(d.Nodes, func(one plan.Node) bool { return one.Name == n.Name })
	next := d.Spare[0]
	d.Spare = append(slices.Clone(d.Spare[1:]), n)
	d.Nodes = slices.Clone(d.Nodes)
	d.Nodes[i] = next
	return next
}

// deploy replaces every task or pod as a deployment of ECS or Kubernetes does: new ones start within its maximum, and old ones end
// while its minimum allows it, after their requests.
func (d *driller) deploy() {
	r := d.Nodes[0].Rollout()
	node, _, _, _ := d.words()
	bound := fmt.Sprintf("no request fails, at least %d of %d %ss serve, and no more than %d run (%s)", r.Least, r.Wanted, node, r.Most, r.From)
	d.trial("a deployment replaces every "+node, bound, func(t *Trial) error {
		if r.Most == r.Wanted && r.Least > r.Wanted-1 {
			return fmt.Errorf("neither a %s more nor one fewer is allowed (%s): no deployment ends", node, r.From)
		}
		if d.Kubernetes != nil {
			d.NewRollout()
		}
		l := d.load()
		defer l.count(t)
		for _, old := range slices.Clone(d.Nodes) {
			if err := d.replace(t, old, r.Most > r.Wanted); err != nil {
				return err
			}
		}
		l.end()
		failed := l.failed()
		t.Measured = fmt.Sprintf("%d of %d %ss replaced, %d requests failed", r.Wanted, r.Wanted, node, len(failed))
		if len(failed) > 0 {
			return fmt.Errorf("%d requests failed, the first one: %s", len(failed), failed[0].problem)
		}
		for _, n := range d.Nodes {
			if err := d.Ready(n, d.Heartbeat, d.seen(r.Wanted)); err != nil {
				return err
			}
		}
		return nil
	})
}

// replace starts a new task or pod and ends an old one, in this order if there may be one more.
func (d *driller) replace(t *Trial, old plan.Node, more bool) error {
	wanted, healthy := len(d.Nodes), len(d.Nodes)
	if more {
		healthy++
	} else if err := d.retire(t, old, wanted-1); err != nil {
		return err
	}
	began := time.Now()
	n := d.replacement(old)
	if err := d.join(n, wanted); err != nil {
		return err
	}
	if err := d.Healthy(healthy, d.Balancer.Check.Taken()+slack); err != nil {
		return err
	}
	node, good, _, _ := d.words()
	d.event(t, "a new %s at %s is %s and gets requests after %s", node, n.Address, good, Seconds(time.Since(began)))
	if !more {
		return nil
	}
	return d.retire(t, old, wanted)
}

// retire ends a task or a pod: it leaves the target group, finishes its requests, and is stopped.
func (d *driller) retire(t *Trial, n plan.Node, others int) error {
	if n.Task != nil {
		if err := d.Register(n, false); err != nil {
			return err
		}
		time.Sleep(min(flight, d.Balancer.Drain))
	}
	d.Stop(n) // Kubernetes takes a pod out of the target group itself
	node, _, _, _ := d.words()
	d.event(t, "the old %s at %s has left the target group and is stopped", node, n.Address)
	return d.Healthy(others, slack)
}
