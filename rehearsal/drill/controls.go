package drill

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/damage"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Control is damage that a drill must notice, with the fault that the proofs name.
type Control struct {
	Name  string
	State []byte
	// Claim is the claim that has to fail, and Faults are its faults.
	Claim  string
	Faults []string
	// Says is a part of the last node's readiness message.
	Says string
	// Closed is the port that the last node must not reach, at the database or at the first node. It is 0 if the
	// network is undamaged.
	Closed   int
	Database bool
}

// damages are the controls before they are applied.
var damages = []struct {
	control Control
	do      func(*damage.Document) error
}{
	{Control{Name: "the members' ports closed in the security group", Claim: "Every node reaches every other node", Says: "connected with 1 of at least", Closed: 5701},
		func(d *damage.Document) error { return remove(d, state.SecurityGroupIngressRule, "hazelcast-in") }},
	{Control{Name: "the rule for the database removed", Claim: "Every node reaches every database", Says: "the health check answers", Closed: 5432, Database: true},
		func(d *damage.Document) error { return remove(d, state.SecurityGroupIngressRule, "database-in") }},
	{Control{Name: "another cluster's name in the last node's file", Claim: "The nodes' files agree", Says: "sees 1 of"}, rename},
}

func remove(d *damage.Document, token, name string) error {
	for _, i := range d.Find(token) {
		if strings.HasSuffix(d.Name(i), " "+name) {
			d.Remove(i)
			return nil
		}
	}
	return fmt.Errorf("the state has no %s %s", state.Kind(token), name)
}

// rename changes the domain in the last node's deployment.toml.
func rename(d *damage.Document) error {
	files := d.Find(state.BucketObject)
	slices.SortFunc(files, func(a, b int) int { return -strings.Compare(d.Name(a), d.Name(b)) })
	for _, i := range files {
		content := state.Text(d.Out(i, "content"))
		if before, after, found := strings.Cut(content, "\ndomain = '"); found {
			d.Set(i, "content", before+"\ndomain = 'another-"+after)
			return nil
		}
	}
	return fmt.Errorf("no deployment.toml in the state has a domain")
}

// Controls damages a state and adds the proofs' faults.
func Controls(exported []byte, prove func([]byte) (*proof.Report, error)) ([]Control, error) {
	var all []Control
	for _, one := range damages {
		d, err := damage.Read(exported)
		if err != nil {
			return nil, err
		}
		if err := one.do(d); err != nil {
			return nil, err
		}
		c := one.control
		if c.State, err = d.Write(); err != nil {
			return nil, err
		}
		report, err := prove(c.State)
		if err != nil {
			return nil, fmt.Errorf("proving the state with %s: %w", c.Name, err)
		}
		for _, v := range report.All() {
			if strings.HasPrefix(v.Claim, c.Claim) {
				c.Claim, c.Faults = v.Claim, v.Faults
			}
		}
		all = append(all, c)
	}
	return all, nil
}
