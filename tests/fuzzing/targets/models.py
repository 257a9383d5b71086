"""Model files: what ``studio inspect`` does with them, in a process that stays."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path

from studio.api import StudioError
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from tests.fuzzing.mutation import change_bytes, change_message, change_text
from tests.fuzzing.target import Target
from tests.unit.runtime.models import make_cnn

_ROOT = Path(__file__).parents[3]
_TFLITE = sorted((_ROOT / "tests" / "plugins" / "data" / "tflite").glob("*.tflite"))
_OPENVINO = sorted((_ROOT / "tests" / "plugins" / "data" / "openvino").glob("*.xml"))
_PARTED = b"\n<!-- weights -->\n"


@functools.cache
def host() -> PluginHost:
    """The built-in plugins."""
    return PluginHost.discover()


def inspect(path: Path) -> None:
    """Intake, graph, types, costs and the figures that are printed."""
    read_model(path, host=host()).figures()


def onnx() -> Target:
    """ONNX, its messages changed field by field."""

    def run(data: bytes, folder: Path) -> None:
        path = folder / "model.onnx"
        path.write_bytes(data)
        inspect(path)

    return Target("onnx", _onnx_seeds, run, (StudioError,), change_message)


def _onnx_seeds() -> list[bytes]:
    import tempfile

    from onnx import TensorProto, helper

    with tempfile.TemporaryDirectory() as name:
        cnn = make_cnn(Path(name) / "cnn.onnx").read_bytes()
    digits = (_ROOT / "resources" / "samples" / "digits" / "digits.onnx").read_bytes()
    value = functools.partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT)
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["b"])], "inner", [],
                              [value("b", shape=[None])])  # fmt: skip
    outer = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    graph = helper.make_graph([outer], "outer", [value("x", shape=["n"]), condition],
                              [value("y", shape=None)])  # fmt: skip
    nested = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    far = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    far.ClearField("float_data")
    far.data_location = TensorProto.EXTERNAL
    for key, text in (("location", "weights.bin"), ("offset", "0"), ("length", "8")):
        entry = far.external_data.add()
        entry.key, entry.value = key, text
    add = helper.make_node("Add", ["x", "w"], ["y"])
    ends = [value("x", shape=[2])], [value("y", shape=[2])]
    external = helper.make_model(helper.make_graph([add], "external", *ends, [far]))
    return [cnn, digits, nested.SerializeToString(), external.SerializeToString()]


def tflite() -> Target:
    """TFLite's FlatBuffers, whose tables point into each other."""

    def run(data: bytes, folder: Path) -> None:
        path = folder / "model.tflite"
        path.write_bytes(data)
        inspect(path)

    return Target("tflite", lambda: [p.read_bytes() for p in _TFLITE], run, (StudioError,), _words)


def _words(data: bytes, rng: random.Random) -> bytes:
    """FlatBuffers are words of four bytes: offsets and numbers mostly."""
    if len(data) < 8 or rng.random() < 0.4:
        return change_bytes(data, rng)
    place = rng.randrange(len(data) // 4) * 4
    old = int.from_bytes(data[place : place + 4], "little")
    new = rng.choice((0, 1, old + 1, old + 4, old - 4, 2 * old, len(data), 2**31, 2**32 - 1))
    return data[:place] + (new % 2**32).to_bytes(4, "little") + data[place + 4 :]


def openvino() -> Target:
    """OpenVINO IR: the XML is changed, and now and then the weights."""

    def seeds() -> list[bytes]:
        return [p.read_bytes() + _PARTED + p.with_suffix(".bin").read_bytes() for p in _OPENVINO]

    def run(data: bytes, folder: Path) -> None:
        graph, _, weights = data.partition(_PARTED)
        (folder / "model.bin").write_bytes(weights)
        path = folder / "model.xml"
        path.write_bytes(graph)
        inspect(path)

    return Target("openvino", seeds, run, (StudioError,), _in_graph)


def _in_graph(data: bytes, rng: random.Random) -> bytes:
    graph, parted, weights = data.partition(_PARTED)
    return change_text(graph, rng) + parted + weights[: rng.choice((len(weights),) * 9 + (5,))]


TARGETS: dict[str, Callable[[], Target]] = {"onnx": onnx, "tflite": tflite, "openvino": openvino}
