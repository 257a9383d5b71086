"""Latency that can be trusted: rounds, statistics, verdicts, reports."""
