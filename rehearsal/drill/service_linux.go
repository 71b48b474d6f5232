package drill

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// formService starts all tasks of the service at once, as ECS does. Their own programs let one server start first.
func (d *driller) formService(bound time.Duration) {
	name := "The cluster forms, all tasks of the service started at once"
	d.trial(name, Seconds(bound)+" for each task (healthCheckGracePeriodSeconds of the service)", func(t *Trial) error {
		began := time.Now()
		var mu sync.Mutex
		err := atOnce(d.Nodes, func(n plan.Node) error {
			if err := d.join(n, 1); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			d.event(t, "%s is HEALTHY after %s", n.Name, Seconds(time.Since(began)))
			return nil
		})
		if err != nil {
			return err
		}
		for _, n := range d.Nodes {
			if err := d.Ready(n, slack, d.seen(len(d.Nodes))); err != nil {
				return err
			}
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

// deploy replaces every task as a deployment of ECS does: new tasks start within maximumPercent, and old ones end while
// minimumHealthyPercent allows it, after their requests.
func (d *driller) deploy() {
	service := d.Nodes[0].Task.Place.Service
	wanted, most := len(d.Nodes), len(d.Nodes)+len(d.Spare)
	percent := state.Number(service.At("deploymentMinimumHealthyPercent"), 100)
	least := int((float64(wanted)*percent + 99) / 100)
	bound := fmt.Sprintf("no request fails, at least %d of %d tasks serve, and no more than %d run (deploymentMinimumHealthyPercent, deploymentMaximumPercent)",
		least, wanted, most)
	d.trial("a deployment replaces every task", bound, func(t *Trial) error {
		if most == wanted && least > wanted-1 {
			return fmt.Errorf("%s allows neither a task more nor one fewer: no deployment ends", service)
		}
		l := d.load()
		defer l.count(t)
		for _, old := range slices.Clone(d.Nodes) {
			if err := d.replace(t, old, most > wanted); err != nil {
				return err
			}
		}
		l.end()
		failed := l.failed()
		t.Measured = fmt.Sprintf("%d of %d tasks replaced, %d requests failed", wanted, wanted, len(failed))
		if len(failed) > 0 {
			return fmt.Errorf("%d requests failed, the first one: %s", len(failed), failed[0].problem)
		}
		for _, n := range d.Nodes {
			if err := d.Ready(n, d.Heartbeat, d.seen(wanted)); err != nil {
				return err
			}
		}
		return nil
	})
}

// replace starts a new task and ends an old one, in this order if the service may have one task more.
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
	d.event(t, "a new task at %s is HEALTHY and gets requests after %s", n.Address, Seconds(time.Since(began)))
	if !more {
		return nil
	}
	return d.retire(t, old, wanted)
}

// retire ends a task: it leaves the target group, finishes its requests, and is stopped.
func (d *driller) retire(t *Trial, n plan.Node, others int) error {
	if err := d.Register(n, false); err != nil {
		return err
	}
	time.Sleep(min(flight, d.Balancer.Drain))
	d.Stop(n)
	d.event(t, "the old task at %s has left the target group and is stopped", n.Address)
	return d.Healthy(others, slack)
}
