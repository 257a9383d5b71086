"""The labels of a drawn graph: short sizes, and the rows of a node."""
