"""Answers of language models on their way to clients, for all contracts."""
