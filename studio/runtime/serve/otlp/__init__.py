"""Metrics and traces for a collector that the user names, by OpenTelemetry's protocol."""
