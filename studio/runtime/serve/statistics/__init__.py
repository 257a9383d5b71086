"""Counters and histograms of a server, and the state of its board."""
