"""Upkeep of registries that several studios share."""
