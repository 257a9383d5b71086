"""The trial of a new release beside the previous one, and the decision it ends with."""
