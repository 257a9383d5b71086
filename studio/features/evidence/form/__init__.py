"""Answers of people about a model, each with its author and time."""
