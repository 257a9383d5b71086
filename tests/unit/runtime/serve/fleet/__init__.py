"""The publication of a served model's state."""
