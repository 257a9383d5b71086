"""Monitoring of endpoints: health, throughput, latency, errors and drift."""
