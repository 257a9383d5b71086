"""Surgery on ONNX models: small edits, each a transform."""
