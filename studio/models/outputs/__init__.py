"""The meaning of a model's outputs: recognised, drafted and checked."""
