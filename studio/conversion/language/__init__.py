"""Conversions of language models."""
