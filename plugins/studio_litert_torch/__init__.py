"""LiteRT Torch as a plugin: the converter from programs of PyTorch."""
