"""MLflow's model registry over its REST API: push, pull, aliases, history."""
