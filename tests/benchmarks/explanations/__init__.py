"""Both sides of the benchmark of explanations, and the pictures and models that they share."""
