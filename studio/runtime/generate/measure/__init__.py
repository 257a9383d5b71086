"""Measurement of language models, in a candidate's process of the bench."""
