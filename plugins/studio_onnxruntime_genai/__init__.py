"""ONNX Runtime's generate() extension for language models, in an environment of its own."""
