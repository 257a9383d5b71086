"""Families of operators: what decides the colour of a node, in the window and on paper."""

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
    "quantization": "Quantization",
    "control": "Control flow",
    OTHER: "Other",
}
"""Titles in a legend of the families and of boxes without operator, in its order."""

_FAMILIES: dict[str, str] = {
    "convolution": "Conv ConvTranspose ConvInteger QLinearConv DeformConv FusedConv",
    "product": (
        "MatMul Gemm MatMulInteger QLinearMatMul Einsum Attention MultiHeadAttention GRU LSTM RNN "
        "QGemm DynamicQuantizeMatMul MatMulNBits FusedMatMul FusedGemm GroupQueryAttention"
    ),
    "normalization": (
        "BatchNormalization LayerNormalization InstanceNormalization GroupNormalization LRN "
        "MeanVarianceNormalization LpNormalization RMSNormalization SkipLayerNormalization "
        "SimplifiedLayerNormalization SkipSimplifiedLayerNormalization"
    ),
    "activation": (
        "Relu LeakyRelu PRelu Sigmoid HardSigmoid HardSwish Tanh Softmax LogSoftmax Elu Selu Gelu "
        "Mish Softplus Softsign Clip Celu ThresholdedRelu Hardmax Swish FastGelu QLinearSigmoid "
        "QLinearSoftmax QLinearLeakyRelu SwiGLU"
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
_OPENVINO: dict[str, str] = {
    "convolution": (
        "Convolution GroupConvolution ConvolutionBackpropData GroupConvolutionBackpropData "
        "BinaryConvolution DeformableConvolution"
    ),
    "product": (
        "ScaledDotProductAttention LSTMSequence LSTMCell GRUSequence GRUCell RNNSequence RNNCell "
        "PagedAttentionExtension"
    ),
    "normalization": "BatchNormInference MVN NormalizeL2 RMS",
    "activation": "ReLU PReLU SoftMax HSwish HSigmoid SoftPlus SoftSign Clamp Selu",
    "pooling": "AvgPool AdaptiveAvgPool AdaptiveMaxPool ReduceLogicalAnd ReduceLogicalOr",
    "arithmetic": (
        "Multiply Subtract Divide Power Maximum Minimum SquaredDifference FloorMod Negative "
        "Ceiling LogicalAnd LogicalOr LogicalNot LogicalXor Select LessEqual GreaterEqual NotEqual"
    ),
    "shape": (
        "Broadcast Interpolate Convert ConvertLike ShapeOf StridedSlice VariadicSplit Gather "
        "ShuffleChannels Reverse ReverseSequence ScatterUpdate ScatterNDUpdate "
        "ScatterElementsUpdate BatchToSpace SpaceToBatch"
    ),
    "quantization": "FakeQuantize FakeConvert",
    "control": "TensorIterator ReadValue Assign",
}
_TFLITE: dict[str, str] = {
    "convolution": "CONV_2D DEPTHWISE_CONV_2D TRANSPOSE_CONV CONV_3D CONV_3D_TRANSPOSE",
    "product": (
        "FULLY_CONNECTED BATCH_MATMUL LSTM UNIDIRECTIONAL_SEQUENCE_LSTM SVDF "
        "BIDIRECTIONAL_SEQUENCE_LSTM UNIDIRECTIONAL_SEQUENCE_RNN BIDIRECTIONAL_SEQUENCE_RNN "
        "EMBEDDING_LOOKUP"
    ),
    "normalization": "L2_NORMALIZATION LOCAL_RESPONSE_NORMALIZATION",
    "activation": (
        "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LEAKY_RELU PRELU ELU GELU LOGISTIC TANH HARD_SWISH "
        "SOFTMAX LOG_SOFTMAX"
    ),
    "pooling": (
        "MAX_POOL_2D AVERAGE_POOL_2D L2_POOL_2D MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD "
        "REDUCE_ANY REDUCE_ALL ARG_MAX ARG_MIN TOPK_V2"
    ),
    "arithmetic": (
        "ADD SUB MUL DIV POW SQRT RSQRT SQUARE SQUARED_DIFFERENCE EXP LOG ABS NEG MAXIMUM MINIMUM "
        "ADD_N FLOOR CEIL ROUND SIGN FLOOR_DIV FLOOR_MOD SIN COS EQUAL NOT_EQUAL LESS LESS_EQUAL "
        "GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR LOGICAL_NOT SELECT SELECT_V2 CUMSUM"
    ),
    "shape": (
        "RESHAPE TRANSPOSE CONCATENATION SPLIT SPLIT_V SLICE STRIDED_SLICE SQUEEZE EXPAND_DIMS "
        "GATHER GATHER_ND SCATTER_ND TILE PAD PADV2 MIRROR_PAD SHAPE RANK RESIZE_BILINEAR "
        "RESIZE_NEAREST_NEIGHBOR DEPTH_TO_SPACE SPACE_TO_DEPTH BATCH_TO_SPACE_ND PACK UNPACK CAST "
        "SPACE_TO_BATCH_ND BROADCAST_TO BROADCAST_ARGS FILL RANGE ONE_HOT WHERE REVERSE_V2 "
        "ZEROS_LIKE DYNAMIC_UPDATE_SLICE BITCAST"
    ),
    "quantization": "QUANTIZE DEQUANTIZE FAKE_QUANT DENSIFY",
    "control": "IF WHILE CALL CALL_ONCE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE",
}
_BY_OPERATOR = {
    name: family
    for names_of_format in (_TFLITE, _OPENVINO, _FAMILIES)  # where names are alike, ONNX decides
    for family, names in names_of_format.items()
    for name in names.split()
}


def family(operator: str) -> str:
    """Return the family of an operator, or ``other`` for an unknown one."""
    return _BY_OPERATOR.get(operator, OTHER)
