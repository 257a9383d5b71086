"""Core ML as a plugin: the converter from programs of PyTorch."""
