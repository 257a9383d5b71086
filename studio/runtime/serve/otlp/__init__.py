"""Metrics of language models for a collector that the user names, by OpenTelemetry's protocol."""
