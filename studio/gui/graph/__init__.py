"""The graph of a model, painted on our own canvas."""
