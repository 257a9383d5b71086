"""Fuzzing of whatever reads files and requests of strangers (docs/fuzzing.md)."""
