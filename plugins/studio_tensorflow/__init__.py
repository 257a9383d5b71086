"""Models of TensorFlow and TFLite as ONNX."""
