"""Sample models and data to begin with, and how each is made."""
