"""Charts of groups and explanations."""
