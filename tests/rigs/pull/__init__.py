"""Servers that boards poll: goosebit itself, and small ones of the published contracts."""
