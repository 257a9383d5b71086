"""Built-in features, unknown to the core: each folder can be deleted, and the rest still works."""
