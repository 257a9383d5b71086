"""Kubernetes as a platform: manifests, rollouts, canaries and their exports."""
