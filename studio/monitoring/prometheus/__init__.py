"""Metrics written for Prometheus, and a history read from it."""
