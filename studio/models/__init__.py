"""Opening a model: intake, graph, layout, search, cost and summary."""
