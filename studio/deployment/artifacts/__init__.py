"""Deployment as a file: a Debian package or a container image."""
