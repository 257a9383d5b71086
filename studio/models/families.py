"""Families of operators, for colours and for grouping."""

from __future__ import annotations

_FAMILIES: dict[str, list[str]] = {
    "matrix": (
        "Conv ConvTranspose DeformConv Gemm MatMul Einsum LSTM GRU RNN Attention FusedConv "
        "FusedMatMul FusedGemm QLinearConv QLinearMatMul ConvInteger MatMulInteger QGemm "
        "MatMulNBits MultiHeadAttention GroupQueryAttention DynamicQuantizeMatMul"
    ).split(),
    "activation": (
        "Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Gelu FastGelu "
        "Softmax LogSoftmax Softplus Softsign Mish Swish Erf Clip ThresholdedRelu QuickGelu"
    ).split(),
    "normalization": (
        "BatchNormalization InstanceNormalization LayerNormalization GroupNormalization LRN "
        "RMSNormalization SimplifiedLayerNormalization SkipLayerNormalization LpNormalization"
    ).split(),
    "pooling": (
        "MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool ReduceMean ReduceSum "
        "ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ArgMax ArgMin TopK"
    ).split(),
    "shape": (
        "Reshape Transpose Flatten Squeeze Unsqueeze Concat Split Slice Gather GatherND "
        "GatherElements Scatter ScatterND ScatterElements Expand Tile Pad Shape Size Identity "
        "Constant ConstantOfShape Cast CastLike Resize Upsample DepthToSpace SpaceToDepth Range"
    ).split(),
    "quantize": "QuantizeLinear DequantizeLinear DynamicQuantizeLinear".split(),
    "control": (
        "If Loop Scan SequenceAt SequenceConstruct SequenceEmpty SequenceInsert SequenceErase "
        "SequenceLength SplitToSequence ConcatFromSequence Optional OptionalGetElement"
    ).split(),
    "elementwise": (
        "Add Sub Mul Div Pow Sqrt Exp Log Neg Abs Min Max Mean Sum Equal Greater Less Where "
        "And Or Not Floor Ceil Round Reciprocal Sin Cos GreaterOrEqual LessOrEqual Mod Sign"
    ).split(),
}  # fmt: skip

_FAMILY_OF = {operator: name for name, operators in _FAMILIES.items() for operator in operators}


def family(operator: str) -> str:
    """The family of an operator, ``other`` for those that have none."""
    return _FAMILY_OF.get(operator, "other")
