"""Requests to OCI registries: connections, logins, and refusals as sentences."""
