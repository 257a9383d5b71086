"""Alibaba's MNN as a backend, with its converter, in an environment of its own."""
