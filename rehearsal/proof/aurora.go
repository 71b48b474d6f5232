package proof

import (
	"fmt"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// isPublic reports whether an instance of a cluster has a public address.
func isPublic(r *state.Resource) bool { return r.Flag("publiclyAccessible", false) }

// logsOf begins the names of a database's log groups.
func logsOf(r *state.Resource) string {
	of := "instance"
	if r.Type == state.DBCluster {
		of = "cluster"
	}
	return "/aws/rds/" + of + "/" + state.DatabaseName(r) + "/"
}

// auroraProof proves that nodes use the writer of each Aurora cluster and follow it in a failover, and that a cluster in prod has a
// reader in another zone to become the writer. It is nil without a cluster.
// Source: Aurora user guide, "High availability for Amazon Aurora".
func (p *proofs) auroraProof() *Verdict {
	clusters := p.Of(state.DBCluster)
	if len(clusters) == 0 {
		return nil
	}
	v := &Verdict{Claim: "Nodes use the writer of each Aurora cluster, and follow it when it fails over"}
	var endpoints []string
	for _, r := range clusters {
		endpoints = append(endpoints, fmt.Sprintf("//%s:", r.Text("endpoint")))
		members := p.DatabaseMembers(r)
		switch {
		case len(members) == 0:
			v.fault("%s has no instance: nothing answers at its endpoint", r)
		case p.want.Prod && !p.want.Alone && !p.HasStandby(r):
			v.fault("%s has its instances in one zone: nobody can log in while it is lost", r)
		}
		p.proveForced(v, r)
	}
	p.proveSources(v, "a cluster", "is at no cluster endpoint, which leads to the writer", endpoints...)
	v.Shown = fmt.Sprintf("%d clusters with %d instances", len(clusters), len(p.Of(state.DBClusterInstance)))
	return v
}

// proveForced proves that a cluster takes encrypted connections only.
func (p *proofs) proveForced(v *Verdict, cluster *state.Resource) {
	group := p.One(state.DBClusterParameterGroup, cluster.Text("dbClusterParameterGroupName"), "name")
	for _, parameter := range group.Objects("parameters") {
		forced := parameter.Text("name") == "rds.force_ssl" && parameter.Text("value") == "1" ||
			parameter.Text("name") == "require_secure_transport" && parameter.Text("value") == "ON"
		if forced {
			return
		}
	}
	v.fault("%s takes connections in the clear: its parameter group asks for no encryption", cluster)
}
