"""Rollouts of a release to many targets, in waves, with one rule and automatic rollback."""
