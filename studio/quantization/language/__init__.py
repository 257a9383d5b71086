"""The step ``evaluate`` for language models."""
