"""Encoders of texts: tokens of a text, a run of the model, one vector for each text."""
