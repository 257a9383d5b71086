"""The controls around a graph: its bar, its dock, its choices."""
