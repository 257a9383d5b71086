"""Language models on the bench, measured in tokens."""
