"""The catalogue of steps, and pipelines that run them with gates."""
