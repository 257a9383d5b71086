"""MLflow's own client and its own server beside ours, on the same model and the same data."""
