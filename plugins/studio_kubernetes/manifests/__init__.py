"""The Kubernetes manifests of a target: built, checked and written without a cluster."""
