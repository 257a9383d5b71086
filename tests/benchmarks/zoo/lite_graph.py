"""A TFLite model of a few common operators laid out as ONNX, with its channels first."""

from __future__ import annotations

from typing import Any

import numpy
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import helper, numpy_helper

Array = numpy.ndarray[Any, Any]

_PLAIN = {"RELU": "Relu", "LOGISTIC": "Sigmoid", "HARD_SWISH": "HardSwish", "ADD": "Add"}
_PLAIN |= {"MUL": "Mul", "AVERAGE_POOL_2D": "GlobalAveragePool"}
_DTYPES = {schema.TensorType.FLOAT16: numpy.float16, schema.TensorType.INT32: numpy.int32}


def converted(content: bytes, name: str) -> onnx.ModelProto:
    """The first graph of a file."""
    return _Graph(schema.ModelT.InitFromPackedBuf(content, 0)).finished(name)


class _Graph:
    """Nodes and constants as they come; activations keep the numbers of their tensors as names."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._graph = model.subgraphs[0]
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, Array] = {}
        self._halves: dict[int, int] = {}
        operators = vars(schema.BuiltinOperator).items()
        self._operators = {number: name for name, number in operators if isinstance(number, int)}

    def finished(self, name: str) -> onnx.ModelProto:
        """The model, checked."""
        for operator in self._graph.operators:
            self._lay(operator)
        graph = helper.make_graph(
            self._nodes, name,
            [self._value(number) for number in self._graph.inputs],
            [self._value(number) for number in self._graph.outputs],
            [numpy_helper.from_array(array, key) for key, array in self._constants.items()],
        )  # fmt: skip
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made

    def _lay(self, operator: Any) -> None:
        code = self._model.operatorCodes[operator.opcodeIndex]
        kind = self._operators[max(code.builtinCode, code.deprecatedBuiltinCode)]
        (output,) = operator.outputs
        first, *others = operator.inputs
        options = operator.builtinOptions
        if getattr(options, "fusedActivationFunction", 0):
            raise ValueError(f"{kind} with an activation in it has no form here")
        if kind == "DEQUANTIZE":
            self._halves[output] = first
        elif kind in _PLAIN:
            self._add(_PLAIN[kind], output, *(self._name(one) for one in operator.inputs))
        elif kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            self._convolve(kind, output, first, others, options)
        elif kind == "RESIZE_BILINEAR":
            self._enlarge(output, first, options)
        elif code.customCode == b"Convolution2DTransposeBias":
            self._transpose(output, first, others)
        else:
            raise ValueError(f"{kind} has no form here")

    def _convolve(
        self, kind: str, output: int, value: int, others: list[int], options: Any
    ) -> None:
        kernel = self._array(others[0])
        axes = (3, 0, 1, 2) if kind == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2)
        before, after = [], []
        strides = [options.strideH, options.strideW]
        for side, edge, stride in zip(
            self._shape(value)[2:], kernel.shape[1:3], strides, strict=True
        ):
            missing = max((-(-side // stride) - 1) * stride + edge - side, 0)
            missing = 0 if options.padding == schema.Padding.VALID else missing
            before.append(missing // 2)
            after.append(missing - missing // 2)
        names = self._weights(output, kernel.transpose(axes), others[1])
        group = kernel.shape[3] if kind == "DEPTHWISE_CONV_2D" else 1
        self._add(
            "Conv", output, self._name(value), *names,
            kernel_shape=list(kernel.shape[1:3]), strides=strides, pads=before + after, group=group,
        )  # fmt: skip

    def _enlarge(self, output: int, value: int, options: Any) -> None:
        if not options.halfPixelCenters or options.alignCorners:
            raise ValueError("only halves of pixels are told here")
        sides = zip(self._shape(output), self._shape(value), strict=True)
        scales = numpy.array([after / before for after, before in sides], numpy.float32)
        self._constants[f"{output}.scales"] = scales
        self._add("Resize", output, self._name(value), "", f"{output}.scales", mode="linear")

    def _transpose(self, output: int, value: int, others: list[int]) -> None:
        """MediaPipe's own operator; its kernels touch without overlapping."""
        kernel = self._array(others[0])
        edges = list(kernel.shape[1:3])
        names = self._weights(output, kernel.transpose(3, 0, 1, 2), others[1])
        self._add(
            "ConvTranspose", output, self._name(value), *names, kernel_shape=edges, strides=edges
        )

    def _weights(self, output: int, kernel: Array, bias: int) -> tuple[str, str]:
        names = (f"{output}.kernel", f"{output}.bias")
        arrays = (numpy.ascontiguousarray(kernel), self._array(bias))
        self._constants.update(zip(names, arrays, strict=True))
        return names

    def _array(self, number: int) -> Array:
        """Constants of half precision, in single precision."""
        tensor = self._graph.tensors[self._halves.get(number, number)]
        raw = bytes(self._model.buffers[tensor.buffer].data)
        values = numpy.frombuffer(raw, _DTYPES.get(tensor.type, numpy.float32))
        return values.reshape(tensor.shape).astype(numpy.float32)

    def _shape(self, number: int) -> list[int]:
        count, height, width, channels = map(int, self._graph.tensors[number].shape)
        return [count, channels, height, width]

    def _name(self, number: int) -> str:
        if number in (*self._graph.inputs, *self._graph.outputs):
            return str(self._graph.tensors[number].name.decode())
        return f"value{number}"

    def _value(self, number: int) -> onnx.ValueInfoProto:
        kind = onnx.TensorProto.FLOAT
        return helper.make_tensor_value_info(self._name(number), kind, self._shape(number))

    def _add(self, operator: str, output: int, *inputs: str, **attributes: Any) -> None:
        name = self._name(output)
        self._nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
