"""Releases on a target's disk: folders, state, lease, ports."""
