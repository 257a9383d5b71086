"""Comparison of a new release with the previous one, and samples kept for labelling."""
