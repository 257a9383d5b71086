"""Statistics of the bench: percentiles, bootstrap intervals, verdicts."""
