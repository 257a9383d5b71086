"""The first minutes in the real window, with real models."""
