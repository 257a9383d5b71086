"""Surgery: small edits of a model, checked, and kept as a new variant."""
