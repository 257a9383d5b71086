"""The plugin studio_mlflow against MLflow's own server with SQLite, and MLflow's own client."""
