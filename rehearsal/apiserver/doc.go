// Package apiserver has the Kubernetes API server judge what the program registers in a cluster. It has tests only. They
// run the server's own code, built from the module k8s.io/kubernetes, over an etcd of their own, once as each release
// that config lets a stack choose; the manifests are the golden ones of components/workload, which that package's tests
// hold equal to what the program registers.
//
// It is a module of its own: the server's dependencies are many, and neither the program nor a rehearsal needs them.
package apiserver
