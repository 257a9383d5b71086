"""The Try it page: one request, and its answer drawn."""
