"""PyTorch as a backend: the graph operator by operator, in an environment of its own."""
