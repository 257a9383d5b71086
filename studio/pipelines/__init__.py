"""The catalogue of steps, and recipes that run them with gates."""
