"""Tests of the answers of language models."""
