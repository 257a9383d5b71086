"""Mender: bundles as artefacts of Mender's format 3."""
