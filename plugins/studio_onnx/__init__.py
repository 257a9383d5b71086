"""The ONNX format as a plugin: intake without trust, graph, shapes; the one user of ``onnx``."""
