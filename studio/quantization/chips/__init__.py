"""Quantization for a chip: its preset, its verdict on variants, and a search for layers by both."""
