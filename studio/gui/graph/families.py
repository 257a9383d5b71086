"""Names of the families of operators, for the legend and the inspector."""

from __future__ import annotations

TERMINAL, OTHER = "terminal", "other"
TITLES = {
    TERMINAL: "Input, output",
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
