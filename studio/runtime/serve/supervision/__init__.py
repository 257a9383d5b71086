"""The supervisor of worker processes: heartbeats, restarts, the swap of a release."""
