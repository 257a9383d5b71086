"""Families of operators, for colours and for grouping."""

from __future__ import annotations

_TABLE = """
matrix: Conv ConvTranspose DeformConv Gemm MatMul Einsum LSTM GRU RNN Attention FusedConv
    FusedMatMul FusedGemm QLinearConv QLinearMatMul ConvInteger MatMulInteger QGemm MatMulNBits
    MultiHeadAttention GroupQueryAttention DynamicQuantizeMatMul
activation: Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Gelu FastGelu
    Softmax LogSoftmax Softplus Softsign Mish Swish Erf Clip ThresholdedRelu QuickGelu
normalization: BatchNormalization InstanceNormalization LayerNormalization GroupNormalization
    LRN RMSNormalization SimplifiedLayerNormalization SkipLayerNormalization LpNormalization
pooling: MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool ReduceMean ReduceSum
    ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ArgMax ArgMin TopK
shape: Reshape Transpose Flatten Squeeze Unsqueeze Concat Split Slice Gather GatherND
    GatherElements Scatter ScatterND ScatterElements Expand Tile Pad Shape Size Identity
    Constant ConstantOfShape Cast CastLike Resize Upsample DepthToSpace SpaceToDepth Range
quantize: QuantizeLinear DequantizeLinear DynamicQuantizeLinear
control: If Loop Scan SequenceAt SequenceConstruct SequenceEmpty SequenceInsert SequenceErase
    SequenceLength SplitToSequence ConcatFromSequence Optional OptionalGetElement
elementwise: Add Sub Mul Div Pow Sqrt Exp Log Neg Abs Min Max Mean Sum Equal Greater Less Where
    And Or Not Floor Ceil Round Reciprocal Sin Cos GreaterOrEqual LessOrEqual Mod Sign
"""


def _read(table: str) -> dict[str, str]:
    """The family of each operator; a family's name ends in a colon."""
    found, current = {}, ""
    for word in table.split():
        if word.endswith(":"):
            current = word[:-1]
        else:
            found[word] = current
    return found


_FAMILY_OF = _read(_TABLE)


def family(operator: str) -> str:
    """The family of an operator, ``other`` for those that have none."""
    return _FAMILY_OF.get(operator, "other")
