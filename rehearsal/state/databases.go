package state

import "slices"

// Databases are the RDS instances and Aurora clusters. Both have an endpoint, a master password and backups of their own.
func (s *State) Databases() []*Resource { return slices.Concat(s.Of(DBInstance), s.Of(DBCluster)) }

// DatabaseName is the identifier of an instance or a cluster.
func DatabaseName(r *Resource) string {
	if r.Type == DBCluster {
		return r.Text("clusterIdentifier")
	}
	return r.Text("identifier")
}

// DatabaseMembers are the instances of a cluster.
func (s *State) DatabaseMembers(cluster *Resource) []*Resource {
	return s.With(DBClusterInstance, "clusterIdentifier", cluster.ID)
}

// HasStandby reports whether a database goes on when its zone fails: RDS keeps a standby of an instance, and a cluster has an
// instance in another zone.
func (s *State) HasStandby(r *Resource) bool {
	if r.Type != DBCluster {
		return r.At("multiAz") == true
	}
	zones := map[string]bool{}
	for _, member := range s.DatabaseMembers(r) {
		zones[member.Text("availabilityZone")] = true
	}
	return len(zones) > 1
}
