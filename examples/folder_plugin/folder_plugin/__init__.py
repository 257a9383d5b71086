"""A folder as a platform, ONNX's reference implementation as a backend, and a panel."""
