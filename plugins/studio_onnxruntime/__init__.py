"""ONNX Runtime as a plugin: a backend, and quantizers; its telemetry is off before any import."""

import os

# onnxruntime reads this once, when it is first imported, and then writes into the home folder and
# to the network. Every module of this package comes after this line.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
