package proof

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// unseenFiles is what no state shows of an EFS file system that exists.
const unseenFiles = "the file system is not this stack's: its mount targets and their outbound rules, its policy, its other access points and " +
	"its backups are not in the state"

// unseen is what no state shows of what exists.
func (s Share) unseen() string {
	if s.FileSystem != "" {
		return unseenFiles
	}
	return unseenShare
}

// existingFilesProof proves that every node has the directories of an EFS file system that exists, through an access point of the stack for
// each, below the path of the stack file. It is nil where the stack file names none.
func (p *proofs) existingFilesProof() *Verdict {
	s := p.want.Share
	if s.FileSystem == "" {
		return nil
	}
	v := &Verdict{Claim: "Every node mounts the file system that exists, through an access point for each directory", Shown: s.FileSystem + ", below " + s.Path + "/"}
	v.open(unseenFiles)
	for _, token := range []string{state.FileSystem, state.MountTarget, state.FileSystemPolicy, state.BackupPolicy} {
		for _, r := range p.Of(token) {
			v.fault("%s is made beside or for the file system that exists", r)
		}
	}
	for _, directory := range s.Directories {
		at := s.Path + "/" + directory
		points := slices.DeleteFunc(slices.Clone(p.With(state.AccessPoint, "fileSystemId", s.FileSystem)), func(r *state.Resource) bool {
			return r.Object("rootDirectory").Text("path") != at
		})
		if len(points) != 1 {
			v.fault("%s of %s has %s instead of one", at, s.FileSystem, count(len(points), "access point"))
			continue
		}
		for _, n := range p.nodes {
			if !p.mountsPoint(n, s.FileSystem, points[0].ID) {
				v.fault("%s does not mount %s", n, points[0])
			}
		}
	}
	return v
}

// mountsPoint reports whether a node mounts an access point of a file system.
func (p *proofs) mountsPoint(n *node, fileSystem, point string) bool {
	if n.platform == onInstance {
		_, variables := p.program(n)
		return variables["FILE_SYSTEM"] == fileSystem && strings.Contains(n.text, point+"|")
	}
	if n.pod == nil {
		return slices.ContainsFunc(n.task.Objects("volumes"), func(volume state.Object) bool {
			efs := volume.Object("efsVolumeConfiguration")
			return efs.Text("fileSystemId") == fileSystem && efs.Object("authorizationConfig").Text("accessPointId") == point
		})
	}
	return slices.ContainsFunc(n.pod.spec.Objects("volumes"), func(volume state.Object) bool {
		claim := n.pod.object(state.PersistentVolumeClaim, volume.Object("persistentVolumeClaim").Text("claimName"))
		return slices.ContainsFunc(p.Of(state.PersistentVolume), func(r *state.Resource) bool {
			name := r.Object("metadata").Text("name")
			return name != "" && name == claim.Object("spec").Text("volumeName") && r.Object("spec").Object("csi").Text("volumeHandle") == fileSystem+"::"+point
		})
	})
}
