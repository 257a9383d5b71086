"""The ONNX format on files that are wrong or hostile: each gets one clear sentence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import InvalidModel, Level, Limits, UnsafeModel
from studio_onnx.format import OnnxFormat
from tests.plugins import onnx_files


def refused(path: Path, limits: Limits | None = None) -> str:
    """The sentence with which a file is refused by an exception."""
    with pytest.raises((InvalidModel, UnsafeModel)) as caught:
        OnnxFormat().intake(path, limits or Limits())
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return f"{type(caught.value).__name__}: {caught.value.message}"


def errors(path: Path) -> list[str]:
    """The sentences of the findings that refuse a file."""
    findings = OnnxFormat().intake(path, Limits()).findings
    return [finding.text for finding in findings if finding.level is Level.ERROR]


def file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "bad.onnx is empty"),
        (b"hello, I am a text\n", "is a text file"),
        ("<!DOCTYPE html><title>Größe 404</title>".encode(), "is a text file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
        (b"PK\x03\x04" + bytes(100), "is a zip archive"),
        (b"\x80\x02}q\x00.", "is a Python pickle"),
        (bytes(range(256)) * 40, "is not an ONNX model"),
        (b"\xff" * 4096, "is not an ONNX model"),
        (b"\x08\x08\x3a\x02\x0a\x7f", "is damaged"),
        (b"\x08\x08", "holds no graph"),
    ],
)
def test_what_is_no_model(tmp_path: Path, content: bytes, sentence: str) -> None:
    text = refused(file(tmp_path, content))
    assert text.startswith("InvalidModel")
    assert sentence in text


def test_random_garbage_never_raises_anything_else(tmp_path: Path) -> None:
    random = numpy.random.default_rng(7)
    for _ in range(300):
        path = file(tmp_path, b"\x08\x08\x3a" + random.bytes(int(random.integers(1, 400))))
        try:
            OnnxFormat().intake(path, Limits())
        except (InvalidModel, UnsafeModel):
            continue


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = onnx_files.classifier(tmp_path / "good.onnx").read_bytes()
    for size in range(1, len(whole), 37):
        path = file(tmp_path, whole[:size])
        try:
            texts = errors(path)
        except InvalidModel:
            continue
        assert texts, f"accepted when cut to {size} of {len(whole)} bytes"


def test_truncated_model_says_so(tmp_path: Path) -> None:
    whole = onnx_files.classifier(tmp_path / "good.onnx", width=64).read_bytes()
    assert "is cut off: 5,000 bytes of at least" in refused(file(tmp_path, whole[:5000]))


def test_missing_folder_and_device(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "nothing.onnx")
    assert "is a folder" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.onnx")
    assert refused(tmp_path / "pipe.onnx").startswith("UnsafeModel")


def test_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as handle:
        handle.truncate(2**31)
    with pytest.raises(UnsafeModel) as caught:
        OnnxFormat().intake(path, Limits())
    assert "external data" in caught.value.hint


def test_nesting_limit(tmp_path: Path) -> None:
    assert not errors(onnx_files.nested(tmp_path / "ok.onnx", 25))
    text = refused(onnx_files.nested(tmp_path / "deep.onnx", 60))
    assert text.startswith("UnsafeModel")
    assert "nests sub-graphs deeper than 32 levels" in text


def test_nodes_of_a_nest_count_once_for_each_level(tmp_path: Path) -> None:
    """Looking for what a sub-graph takes from outside is done anew at each of its levels."""
    path = onnx_files.wide_nest(tmp_path / "m.onnx", depth=8, width=300)
    assert "nested sub-graphs counted once a level" in refused(path, Limits(nodes=5_000))
    assert not errors(path)


def test_node_limit_counts_before_parsing(tmp_path: Path) -> None:
    path = onnx_files.chain(tmp_path / "m.onnx", 2000)
    assert "more than 1,000 nodes" in refused(path, Limits(nodes=1000))


@pytest.mark.slow
def test_empty_nodes_are_counted_before_protobuf_makes_them(tmp_path: Path) -> None:
    """Two bytes a node: 6 MB that protobuf would turn into hundreds."""
    graph = b"\x0a\x00" * 3_000_000
    path = file(tmp_path, b"\x08\x08" + onnx_files.field(7, graph))
    assert "more than 2,000,000 nodes" in refused(path)


def test_empty_constants_are_counted_too(tmp_path: Path) -> None:
    path = file(tmp_path, b"\x08\x08" + onnx_files.field(7, b"\x2a\x00" * 20_000))
    assert "more than 16,000 values and constants" in refused(path, Limits(nodes=1000))


def test_tensor_of_a_hundred_thousand_axes(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1] * 100_000)
    path = file(
        tmp_path, b"\x08\x08" + onnx_files.field(7, onnx_files.field(5, tensor.SerializeToString()))
    )
    assert "name and shape alone take" in refused(path)


def test_cycle(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], "first"),
        helper.make_node("Relu", ["a"], ["b"], "second"),
    ]
    proto = onnx_files.model(nodes, [onnx_files.floats("x", [1])], [onnx_files.floats("b", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert errors(path) == ["Graph 'graph' has a cycle: first <- second."]


def test_value_produced_twice(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"]) for _ in range(2)]
    proto = onnx_files.model(nodes, [onnx_files.floats("x", [1])], [onnx_files.floats("y", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert errors(path) == ["Value 'y' is produced by two nodes."]


def test_value_that_nothing_produces(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "ghost"], ["y"])
    proto = onnx_files.model([node], [onnx_files.floats("x", [1])], [onnx_files.floats("y", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert errors(path) == ["Value 'ghost' is read, but nothing produces it."]


def test_no_outputs_and_no_operator_set(tmp_path: Path) -> None:
    proto = onnx_files.model([], [onnx_files.floats("x", [1])], [])
    del proto.opset_import[:]
    texts = errors(onnx_files.save(proto, tmp_path / "m.onnx"))
    assert len(texts) == 2
    assert "cut off" in texts[0]
    assert "no output" in texts[1]


def test_weights_that_do_not_fit_their_shape(tmp_path: Path) -> None:
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2000])
    weight.raw_data = bytes(7000)
    node = helper.make_node("Add", ["x", "w"], ["y"])
    inputs, outputs = [onnx_files.floats("x", [2000])], [onnx_files.floats("y", [2000])]
    path = onnx_files.save(onnx_files.model([node], inputs, outputs, [weight]), tmp_path / "m.onnx")
    assert "has 7,000 bytes in the model's file, but its shape needs 8,000" in refused(path)


# External data


def test_missing_external_data_is_named(tmp_path: Path) -> None:
    text = refused(onnx_files.external(tmp_path / "m.onnx", "w.bin"))
    assert text == "InvalidModel: External data file w.bin is missing beside the model."


@pytest.mark.parametrize(
    "location",
    [
        "../secret.bin",
        "a/../../secret.bin",
        "..\\secret.bin",
        "/etc/passwd",
        "C:\\secret.bin",
        "\\\\host\\share\\secret.bin",
    ],
)
def test_names_outside_the_folder(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(1024))
    text = refused(onnx_files.external(folder / "m.onnx", location))
    assert text.startswith("UnsafeModel: The model asks for data outside its folder")


def test_symbolic_link_outside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(1024))
    (folder / "w.bin").symlink_to(tmp_path / "secret.bin")
    text = refused(onnx_files.external(folder / "m.onnx", "w.bin"))
    assert "is a link that leads outside" in text
    assert text.startswith("UnsafeModel")


def test_linked_folder_outside_the_folder(tmp_path: Path) -> None:
    folder, other = tmp_path / "model", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (other / "w.bin").write_bytes(bytes(1024))
    (folder / "sub").symlink_to(other)
    assert refused(onnx_files.external(folder / "m.onnx", "sub/w.bin")).startswith("UnsafeModel")


def test_hard_link(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(1024))
    (folder / "w.bin").hardlink_to(tmp_path / "secret.bin")
    text = refused(onnx_files.external(folder / "m.onnx", "w.bin"))
    assert text.startswith("UnsafeModel")
    assert "import by copy" in text


def test_external_data_that_is_a_folder_or_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "w.bin").mkdir()
    path = onnx_files.external(tmp_path / "m.onnx", "w.bin")
    assert "not a regular file" in refused(path)
    (tmp_path / "w.bin").rmdir()
    os.mkfifo(tmp_path / "w.bin")
    assert "not a regular file" in refused(path)


@pytest.mark.parametrize(
    ("size", "offset", "length", "sentence"),
    [
        (1000, None, None, "lies behind the end of w.bin (1,024 of 1,000 bytes)"),
        (2048, "1025", "1024", "lies behind the end"),
        (2048, "-1", "1024", "lies behind the end"),
        (2048, "0", "512", "has 512 bytes in w.bin, but its shape needs 1,024"),
        (2048, "zero", None, "that is no number"),
        (2048, str(2**70), None, "lies behind the end"),
    ],
)
def test_ranges_of_external_data(
    tmp_path: Path, size: int, offset: str | None, length: str | None, sentence: str
) -> None:
    path = onnx_files.external(tmp_path / "m.onnx", "w.bin", bytes(size), offset, length)
    text = refused(path)
    assert text.startswith("InvalidModel")
    assert sentence in text


@pytest.mark.parametrize("location", ["", "\0inside", "w\0.bin"])
def test_location_that_is_no_name(tmp_path: Path, location: str) -> None:
    path = onnx_files.external(tmp_path / "m.onnx", location)
    assert "no file name" in refused(path)


def test_external_data_in_a_sub_graph_is_checked(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    body = helper.make_graph(
        [helper.make_node("Constant", [], ["i"], value=tensor)],
        "b",
        [],
        [onnx_files.floats("i", [1])],
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    proto = onnx_files.model([node], [condition], [onnx_files.floats("y", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert refused(path).startswith("UnsafeModel")


def test_large_constants_in_attributes_are_skimmed_too(tmp_path: Path) -> None:
    """A reference of ours inside a Constant node is not taken for external data."""
    value = numpy_helper.from_array(numpy.zeros((100, 100), numpy.float32))
    nodes = [
        helper.make_node("Constant", [], ["w"], value=value),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    proto = onnx_files.model(
        nodes, [onnx_files.floats("x", [1, 100])], [onnx_files.floats("y", [1, 100])]
    )
    intake = OnnxFormat().intake(onnx_files.save(proto, tmp_path / "m.onnx"), Limits())
    assert len(intake.files) == 1
    assert not intake.findings
