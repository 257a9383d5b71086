"""Rollouts of a release: the change, its progress, the canary and the record of releases."""
