"""The parts of TensorFlow's converter that need no TensorFlow: safety, flatbuffers, metadata."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hostile_files import tensorflow
from tests.e2e.hostile_files.kinds import Hostile, Payload
from tests.e2e.hostile_files.tensorflow import folder, function, node, saved_model

PLUGIN = Path(__file__).parents[2] / "plugins" / "studio_tensorflow"
NAMES = ("tool_safety", "tool_protobuf", "tool_flatbuffer", "tool_metadata")
BEFORE = [one for one in tensorflow.FILES if one.name != "an operator of nowhere"]
MODEL, METADATA = b"TFL3", b"M001"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``part(name)``: a part of the tool, found as the tool finds it."""
    for name in NAMES:
        sys.modules.pop(name, None)

    def found(name: str) -> Any:
        monkeypatch.syspath_prepend(str(PLUGIN))
        return __import__(name)

    yield found
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("file", BEFORE, ids=lambda one: one.name)
def test_what_is_hostile_is_refused_before_tensorflow(
    part: Any, tmp_path: Path, file: Hostile
) -> None:
    path, safety = file.make(tmp_path, Payload(tmp_path / "canary")), part("tool_safety")
    with pytest.raises(ValueError, match="it") as refused:
        check(safety, path)
    if file.words != "cannot be loaded":
        assert file.words in str(refused.value)


def check(safety: Any, path: Path) -> None:
    if path.is_dir():
        safety.check_folder(str(path))
        return
    with safety.mapped(str(path)) as content:
        safety.check_frozen(content)


def test_a_sound_graph_and_its_saver_pass(part: Any, tmp_path: Path) -> None:
    saver = function(
        "__inference__traced_save_1", node("s", "SaveV2"), node("m", "ShardedFilename")
    )
    graph = node("x", "Placeholder") + node("c", "StatefulPartitionedCall", "x")
    path = folder(saved_model(graph, saver, ["__inference_f_2"]))(tmp_path, Payload(tmp_path / "c"))
    part("tool_safety").check_folder(str(path))
    content = node("x", "Placeholder") + node("y", "MatMul", "x", "x")
    part("tool_safety").check_frozen(memoryview(content))


@pytest.mark.parametrize("length", [0, 1, 2, 7, 16, 25, 30, 38])
def test_a_graph_that_is_cut_ends_in_a_sentence(part: Any, length: int) -> None:
    whole = node("x", "Placeholder") + node("y", "Relu", "x", T=b"\x30\x01")
    with pytest.raises(ValueError, match=r"cut off|damaged"):
        part("tool_safety").check_frozen(memoryview(whole[:length]))


@pytest.mark.parametrize(
    "operator", ["Conv2D", "MatMul", "While", "TensorListReserve", "ReadVariableOp", "Assert"]
)
def test_operators_that_compute(part: Any, operator: str) -> None:
    assert not part("tool_safety").is_forbidden(operator)


@pytest.mark.parametrize("operator", ["PyFunc", "ReadFile", "SaveV2", "TFRecordDataset", "_Recv"])
def test_operators_that_do_more_also_as_those_of_tflite(part: Any, operator: str) -> None:
    safety = part("tool_safety")
    assert safety.is_forbidden(operator)
    with pytest.raises(ValueError, match="which is not run here"):
        safety.check_custom(f"Flex{operator}")
    safety.check_custom("TFLite_Detection_PostProcess")


class Flat:
    """A writer of flatbuffers, backwards as they are read: children are written first.

    Offsets are known at the end, so that every part is a list of bytes and of parts.
    """

    def __init__(self) -> None:
        self.content = bytearray(8)

    def _aligned(self) -> int:
        self.content += bytes(-len(self.content) % 4)
        return len(self.content)

    def blob(self, content: bytes, count: int | None = None) -> int:
        """Add a list of numbers; return its position."""
        at = self._aligned()
        self.content += struct.pack("<I", len(content) if count is None else count) + content
        self.content += b"\0"
        return at

    def tables(self, *wanted: Mapping[int, Any]) -> int:
        """Add a list of tables; return its position."""
        at = self._aligned()
        self.content += struct.pack("<I", len(wanted)) + bytes(4 * len(wanted))
        for number, fields in enumerate(wanted):
            self._refer(at + 4 + 4 * number, self.table(fields))
        return at

    def table(self, fields: Mapping[int, Any]) -> int:
        """Add a table; return its position.

        Args:
            fields: Numbers, texts, lists of floats or of tables, and tables, by their places.
        """
        last = max(fields, default=-1)
        head = self._aligned()
        self.content += bytes(4 + 2 * (last + 1))
        at = self._aligned()
        self.content += struct.pack("<i", at - head) + bytes(4 * (last + 1))
        struct.pack_into("<HH", self.content, head, 4 + 2 * (last + 1), 4 + 4 * (last + 1))
        for place, one in fields.items():
            struct.pack_into("<H", self.content, head + 4 + 2 * place, 4 + 4 * place)
            self._field(at + 4 + 4 * place, one)
        return at

    def _field(self, at: int, one: Any) -> None:
        if isinstance(one, int):
            struct.pack_into("<I", self.content, at, one)
        elif isinstance(one, str | bytes):
            self._refer(at, self.blob(one.encode() if isinstance(one, str) else one))
        elif isinstance(one, dict):
            self._refer(at, self.table(one))
        elif one and isinstance(one[0], float):
            self._refer(at, self.blob(struct.pack(f"<{len(one)}f", *one), len(one)))
        else:
            self._refer(at, self.tables(*one))

    def _refer(self, at: int, target: int) -> None:
        struct.pack_into("<I", self.content, at, target - at)


def flat(mark: bytes, fields: Mapping[int, Any]) -> bytes:
    made = Flat()
    root = made.table(fields)
    made.content[:8] = struct.pack("<I", root) + mark
    return bytes(made.content)


def metadata(mean: list[float], deviation: list[float], labels: str = "labels.txt") -> bytes:
    picture = {0: 2, 1: {0: 1, 1: {0: 320, 1: 240}}}
    entry = {0: "image", 3: picture, 4: [{0: 1, 1: {0: mean, 1: deviation}}]}
    graph = {2: [entry], 3: [{0: "scores", 6: [{0: labels, 2: 2}]}]}
    about = {0: "Birds", 1: "Finds birds.", 2: "v1", 4: "A. N. Author", 5: "Apache-2.0"}
    return flat(METADATA, {**about, 3: [graph]})


def lite(inner: bytes, files: Mapping[str, bytes] | None = None) -> bytes:
    """A TFLite file with metadata, and with the archive of files after its end."""
    tensors = {0: [{0: "x", 1: 0}], 1: [{0: "scores", 1: 3}]}
    parts = {4: [{}, {0: inner}], 6: [{0: "TFLITE_METADATA", 1: 1}], 7: [tensors]}
    content = flat(MODEL, {0: 3, 1: [{0: 32, 1: "FlexErf"}, {0: 3}], **parts})
    archive = io.BytesIO()
    archive.write(content)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as made:
        for name, text in (files or {}).items():
            made.writestr(name, text)
    return archive.getvalue()


def test_labels_preprocessing_and_metadata_of_tflite(part: Any) -> None:
    tool = part("tool_metadata")
    content = lite(metadata([127.5], [127.5]), {"labels.txt": b"sparrow\nfinch\n\n"})
    first = tool.Input((1, 224, 200, 3), "float32")
    assert tool.described(content, first) == {
        "labels": ["sparrow", "finch"],
        "preprocess": {
            "color": "RGB",
            "resize": "stretch",
            "height": 224,
            "width": 200,
            "scale": 1.0,
            "mean": [127.5],
            "std": [127.5],
            "layout": "NHWC",
            "dtype": "float32",
        },
        "metadata": {
            "name": "Birds",
            "description": "Finds birds.",
            "version": "v1",
            "author": "A. N. Author",
            "license": "Apache-2.0",
        },
    }


def test_pixels_of_a_quantized_input_are_in_its_own_steps(part: Any) -> None:
    tool = part("tool_metadata")
    first = tool.Input((1, -1, -1, 3), "uint8", scale=1 / 128, zero=128)
    found = tool.described(lite(metadata([127.5], [127.5])), first)["preprocess"]
    assert (found["height"], found["width"]) == (240, 320)
    assert found["dtype"] == "uint8"
    pixel = 200.0
    value = (pixel * found["scale"] - found["mean"][0]) / found["std"][0]
    assert value == pytest.approx((pixel - 127.5) / 127.5 * 128 + 128, rel=1e-4)


@pytest.mark.parametrize(
    ("mean", "deviation"), [([1.0, 2.0], [1.0, 2.0, 3.0]), ([float("nan")], [1.0]), ([0.0], [0.0])]
)
def test_numbers_that_make_no_sense_are_left_out(
    part: Any, mean: list[float], deviation: list[float]
) -> None:
    tool = part("tool_metadata")
    found = tool.described(lite(metadata(mean, deviation)), tool.Input((1, 8, 8, 3), "float32"))
    assert "mean" not in found["preprocess"]
    assert "std" not in found["preprocess"]


def test_names_of_the_signature_and_custom_operators(part: Any) -> None:
    tool = part("tool_metadata")
    content = lite(metadata([0.0], [1.0]))
    assert tool.signature(content) == {"inputs": {0: "x"}, "outputs": {3: "scores"}}
    assert tool.custom_operators(content) == ["FlexErf"]


@pytest.mark.parametrize("name", ["../labels.txt", "/etc/passwd", "other.txt"])
def test_labels_are_never_read_from_a_path(part: Any, tmp_path: Path, name: str) -> None:
    tool = part("tool_metadata")
    content = lite(metadata([0.0], [1.0], labels=name), {"labels.txt": b"a\nb"})
    assert "labels" not in tool.described(content, tool.Input((1, 8, 8, 3), "float32"))


def test_an_archive_that_unpacks_to_a_gigabyte_is_not_unpacked(part: Any) -> None:
    tool = part("tool_metadata")
    content = lite(metadata([0.0], [1.0]), {"labels.txt": b"a\n" * (1 << 20)})
    assert "labels" not in tool.described(content, tool.Input((1, 8, 8, 3), "float32"))


def test_damaged_metadata_are_none(part: Any) -> None:
    tool = part("tool_metadata")
    whole = bytearray(lite(metadata([0.0], [1.0]), {"labels.txt": b"a\nb"}))
    first = tool.Input((1, 8, 8, 3), "float32")
    for at in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        assert isinstance(tool.described(bytes(damaged), first), dict)
        assert isinstance(tool.described(bytes(whole[:at]), first), dict)
