"""Evidence about an app: its graph, its models, its test, and the decisions left to persons."""
