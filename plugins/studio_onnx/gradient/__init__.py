"""Gradients of an ONNX graph, written as operators of the same graph."""
