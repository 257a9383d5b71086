"""Text generation on a target: models, templates, sampling, and the loop that serves them."""
