"""Parts of the benchmark of the search of types."""
