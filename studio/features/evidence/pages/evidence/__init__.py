"""The Evidence page: what is recorded, answered and missing about a model."""
