"""Artefacts for Mender's own tools."""
