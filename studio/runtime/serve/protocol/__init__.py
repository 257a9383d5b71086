"""Tensors and requests of the Open Inference Protocol as bytes and JSON."""
