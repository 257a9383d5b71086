"""Profiles of language models, in tokens."""
