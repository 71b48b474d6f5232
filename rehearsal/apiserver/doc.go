// Package apiserver checks the program's Kubernetes manifests with the API server's own code. It has tests only, beside
// the command server, which a drill runs. The tests run the server, built from the module k8s.io/kubernetes, with their
// own etcd, once for each release that a stack can choose. The manifests are the golden files of components/workload. The
// tests of that package compare these with the program's resources.
//
// It is a separate module: the server has many dependencies, and neither the program nor a rehearsal needs them.
package apiserver
