"""What runs on the target: bench, serve, release. Python 3.8, numpy and onnxruntime alone."""
