"""Versions of models: aliases, lineage, garbage collection, export and import."""
