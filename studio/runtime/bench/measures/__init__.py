"""Measures of the bench: latency, throughput, open-loop and sustained load."""
