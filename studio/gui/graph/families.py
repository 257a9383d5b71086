"""Names of the families of operators, for the legend and the inspector."""

from __future__ import annotations

TERMINAL, BLOCK, OTHER = "terminal", "block", "other"
TITLES = {
    TERMINAL: "Input, output",
    BLOCK: "Block",
    "convolution": "Convolution",
    "product": "Matrix product",
    "normalization": "Normalization",
    "activation": "Activation",
    "pooling": "Pooling, reduction",
    "arithmetic": "Arithmetic",
    "shape": "Shape, data",
    "quantization": "Quantize, dequantize",
    "control": "Control flow",
    OTHER: "Other",
}
