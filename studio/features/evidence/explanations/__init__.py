"""Explanations of a model's answers: which places, features and tokens a score depends on."""
