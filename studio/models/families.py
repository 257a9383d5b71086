"""Families of operators: what decides the colour of a node, in the window and on paper."""

from __future__ import annotations

OTHER = "other"

_FAMILIES: dict[str, str] = {
    "convolution": "Conv ConvTranspose ConvInteger QLinearConv DeformConv FusedConv",
    "product": (
        "MatMul Gemm MatMulInteger QLinearMatMul Einsum Attention MultiHeadAttention GRU LSTM RNN "
        "QGemm DynamicQuantizeMatMul MatMulNBits FusedMatMul FusedGemm GroupQueryAttention"
    ),
    "normalization": (
        "BatchNormalization LayerNormalization InstanceNormalization GroupNormalization LRN "
        "MeanVarianceNormalization LpNormalization RMSNormalization SkipLayerNormalization"
    ),
    "activation": (
        "Relu LeakyRelu PRelu Sigmoid HardSigmoid HardSwish Tanh Softmax LogSoftmax Elu Selu Gelu "
        "Mish Softplus Softsign Clip Celu ThresholdedRelu Hardmax Swish FastGelu QLinearSigmoid "
        "QLinearSoftmax QLinearLeakyRelu"
    ),
    "pooling": (
        "MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool ReduceMean ReduceMax ReduceMin "
        "ReduceSum ReduceProd ReduceL1 ReduceL2 ReduceLogSumExp ReduceSumSquare ArgMax ArgMin TopK "
        "QLinearAveragePool QLinearGlobalAveragePool"
    ),
    "arithmetic": (
        "Add Sub Mul Div Pow Sqrt Exp Log Abs Neg Min Max Sum Mean Erf Floor Ceil Round Sign Mod "
        "Reciprocal Sin Cos Tan Equal Less Greater LessOrEqual GreaterOrEqual And Or Not Xor Where "
        "CumSum QLinearAdd QLinearMul IsNaN IsInf BitShift"
    ),
    "shape": (
        "Reshape Transpose Concat Split Slice Squeeze Unsqueeze Flatten Gather GatherElements "
        "GatherND Scatter ScatterElements ScatterND Expand Tile Pad Shape Size Resize Upsample "
        "DepthToSpace SpaceToDepth Identity Cast CastLike Constant ConstantOfShape Range NonZero "
        "OneHot EyeLike Trilu Dropout QLinearConcat Compress Unique"
    ),
    "quantization": (
        "QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearReduceMean QuantizeAdd"
    ),
    "control": (
        "If Loop Scan SequenceAt SequenceConstruct SequenceEmpty SequenceInsert SequenceErase "
        "SequenceLength SplitToSequence ConcatFromSequence SequenceMap Optional OptionalGetElement "
        "OptionalHasElement"
    ),
}
_BY_OPERATOR = {name: family for family, names in _FAMILIES.items() for name in names.split()}


def family(operator: str) -> str:
    """The family of an operator; ``other`` for one that is not known."""
    return _BY_OPERATOR.get(operator, OTHER)
