"""The runtimes that load a bundle's model on a target: ONNX Runtime, LiteRT and OpenVINO."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # too late once onnxruntime is imported
