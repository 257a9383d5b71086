"""Meaning of a model's outputs: detections, maps, uncertainty, agreement of two answers."""
