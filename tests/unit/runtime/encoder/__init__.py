"""Tests of encoders of texts."""
