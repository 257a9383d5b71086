"""Metrics of tasks: the quality of a classifier, of a text recogniser."""
