"""Tencent's ncnn as a backend, with its converter pnnx, in an environment of its own."""
