"""The sample ``shelf``: rendered pictures of a shelf whose stock and prices are known."""
