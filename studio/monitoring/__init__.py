"""Health, throughput, latency and errors of what runs."""
