"""NVIDIA TensorRT as a plugin: its parser and its builder, without a GPU."""
