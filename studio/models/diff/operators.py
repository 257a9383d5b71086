"""Canonical operators, independent of a quantizer's or an optimizer's names."""

from __future__ import annotations

from studio.api import Node

_BASES = {
    "QLinearConv": "Conv",
    "ConvInteger": "Conv",
    "FusedConv": "Conv",
    "NhwcFusedConv": "Conv",
    "QLinearMatMul": "MatMul",
    "MatMulInteger": "MatMul",
    "MatMulIntegerToFloat": "MatMul",
    "DynamicQuantizeMatMul": "MatMul",
    "MatMulNBits": "MatMul",
    "FusedMatMul": "MatMul",
    "QGemm": "Gemm",
    "FusedGemm": "Gemm",
    "QAttention": "Attention",
    "FastGelu": "Gelu",
    "BiasGelu": "Gelu",
    "FusedBatchNormalization": "BatchNormalization",
    # OpenVINO's names
    "Convolution": "Conv",
    "GroupConvolution": "Conv",
    "ConvolutionBackpropData": "ConvTranspose",
    "GroupConvolutionBackpropData": "ConvTranspose",
    "ReLU": "Relu",
    "PReLU": "PRelu",
    "SoftMax": "Softmax",
    "HSwish": "HardSwish",
    "Multiply": "Mul",
    "Subtract": "Sub",
    "Divide": "Div",
    "Power": "Pow",
    "AvgPool": "AveragePool",
    "Interpolate": "Resize",
    "Broadcast": "Expand",
    "ShapeOf": "Shape",
    "Clamp": "Clip",
    "LSTMSequence": "LSTM",
    "GRUSequence": "GRU",
}

_FLOATS = frozenset({1, 10, 11, 16})
"""ONNX's numbers of float, float16, double and bfloat16."""

_PASSING = frozenset(
    {
        "Identity",
        "Dropout",
        "QuantizeLinear",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "FakeQuant",
    }
)
_CONTRIBUTED = ("com.microsoft", "com.ms.internal.nhwc", "ai.onnx", "")


def base(node: Node) -> str:
    """Return the operator whose result the node computes (``Conv`` for ``QLinearConv``)."""
    if node.domain not in _CONTRIBUTED:
        return f"{node.domain}.{node.operator}"
    name = node.operator
    if name in _BASES:
        return _BASES[name]
    # onnxruntime names its quantized forms of the rest alike: QLinearAdd, QLinearSigmoid ...
    return name.removeprefix("QLinear") if name.startswith("QLinear") else name


def passes(node: Node) -> bool:
    """Return whether the node hands its first input on, but for its precision."""
    if node.domain not in _CONTRIBUTED:
        return False
    if node.operator == "Cast":
        return node.attributes.get("to") in _FLOATS
    return node.operator in _PASSING
