"""Models of other frameworks: what they are called, the way to ONNX, and files that lie."""

from __future__ import annotations

import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from studio.api import InvalidModel
from studio.models.opening import format_for
from studio.models.source_formats import convertible_format, source_format
from studio.plugin_host import PluginHost

SOURCES = Path(__file__).parents[2] / "data" / "sources"
"""Written by torch 2.13, scikit-learn, joblib, LightGBM and safetensors themselves."""


def kind(path: Path) -> str:
    found = source_format(path)
    return found.id if found is not None else ""


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("export.pt2", "pytorch-export"),
        ("script.pt", "torchscript"),
        ("state.pth", "pytorch-weights"),
        ("module.pt", "pytorch-weights"),
        ("old.pth", "pytorch-weights"),
        ("estimator.pkl", "pickle"),
        ("plain.joblib", "pickle"),
        ("compressed.joblib", "pickle"),
        ("lightgbm.txt", "lightgbm"),
        ("weights.safetensors", "safetensors"),
    ],
)
def test_what_the_frameworks_write_is_recognised(name: str, wanted: str) -> None:
    assert kind(SOURCES / name) == wanted


@pytest.mark.parametrize("name", ["export.pt2", "script.pt", "state.pth", "old.pth"])
def test_the_content_decides_and_not_the_name(name: str, tmp_path: Path) -> None:
    renamed = tmp_path / "model.bin"
    renamed.write_bytes((SOURCES / name).read_bytes())
    assert source_format(renamed) is source_format(SOURCES / name)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("m.pkl", "pickle"),
        ("m.PICKLE", "pickle"),
        ("m.pkl.gz", "pickle"),
        ("m.joblib.xz", "pickle"),
        ("m.gz", ""),
        ("m.txt.gz", ""),
    ],
)
def test_a_compressed_pickle_is_known_by_its_name(name: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b\x08")
    assert kind(tmp_path / name) == wanted


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"\x89HDF\r\n\x1a\n", "keras-hdf5"),
        (b"RKNN\x00\x00\x00\x00\x06\x00", "rknn"),
        (b"\x20\x00\x00\x00ORTM", "ort"),
        (b'{"learner":{"attributes":{}}}', "xgboost"),
        (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "xgboost"),
        (b'{"labels": ["learner"]}' + b" " * 9, ""),
        (b"", ""),
        (b"\x80", ""),
        (b"\xff" * 64, ""),
    ],
)
def test_a_mark_at_the_start(head: bytes, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(head)
    assert kind(path) == wanted


def test_a_language_model_opens_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00")
    found = convertible_format(path)
    assert found is not None
    assert (found.id, found.opens) == ("gguf", True)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["saved_model.pb", "variables"], "saved-model"),
        (["config.json", "model.safetensors"], "hugging-face"),
        (["config.json", "pytorch_model.bin"], "hugging-face"),
        (["config.json", "model.safetensors", "model.onnx"], "hugging-face-onnx"),
        (["config.json", "onnx/model.onnx"], "hugging-face-onnx"),
        (["onnx/model.onnx"], ""),
        (["config.json"], ""),
        (["model.safetensors"], ""),
    ],
)
def test_folders(names: list[str], wanted: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert kind(tmp_path) == wanted


def test_weights_with_their_configuration_are_a_model(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((SOURCES / "weights.safetensors").read_bytes())
    assert kind(path) == "safetensors"
    (tmp_path / "config.json").touch()
    assert kind(path) == "hugging-face"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("net.engine", "tensorrt"), ("inference.pdmodel", "paddle"), ("net.mlmodel", "core-ml")],
)
def test_those_without_a_mark_are_known_by_their_names(
    name: str, wanted: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"\x08\x01")
    assert kind(tmp_path / name) == wanted


def test_tflite_opens_as_it_is_and_can_be_converted(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(60))
    found = convertible_format(path)
    assert found is not None
    assert found.id == "tflite"
    assert found.opens
    assert source_format(path) is None


def test_an_archive_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
    assert kind(path) == "keras"


def test_an_archive_of_something_else_is_none(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", "")
    assert kind(path) == ""


def test_the_refusal_is_one_sentence_with_the_way_to_onnx() -> None:
    with pytest.raises(InvalidModel) as refused:
        format_for(SOURCES / "export.pt2", PluginHost.discover())
    assert refused.value.message == (
        "export.pt2 is a PyTorch export (.pt2). It can be opened once it is ONNX."
    )
    assert "studio convert FILE --out model.onnx" in refused.value.hint


def test_without_a_converter_the_refusal_has_the_frameworks_own_way() -> None:
    with pytest.raises(InvalidModel) as refused:
        format_for(SOURCES / "weights.safetensors", PluginHost.discover())
    assert "optimum-cli export onnx" in refused.value.hint


def test_the_hint_for_a_model_that_runs_code_has_the_option() -> None:
    with pytest.raises(InvalidModel) as refused:
        format_for(SOURCES / "estimator.pkl", PluginHost.discover())
    assert "studio convert FILE --run-code --out model.onnx" in refused.value.hint


def test_a_file_that_is_cut_off_is_known_by_its_name(tmp_path: Path) -> None:
    for name, form in {"a.pt2": "pytorch-export", "a.keras": "keras", "a.txt": ""}.items():
        (tmp_path / name).write_bytes(b"PK")
        assert kind(tmp_path / name) == form


def test_a_folder_is_no_file_of_weights(tmp_path: Path) -> None:
    for name, form in {"a.pt": "", "a.pkl": "", "a.mlpackage": "core-ml"}.items():
        (tmp_path / name).mkdir()
        assert kind(tmp_path / name) == form


def test_a_cut_archive_is_no_error(tmp_path: Path) -> None:
    whole = (SOURCES / "export.pt2").read_bytes()
    path = tmp_path / "cut.zip"
    found = set()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        found.add(kind(path))
    assert found <= {"", "pytorch-export"}


@pytest.mark.parametrize("field", [8, 10, 12, 16, 20])
@pytest.mark.parametrize("value", [0, 1, 0xFFFF])
def test_an_archive_whose_end_lies_is_no_error(field: int, value: int, tmp_path: Path) -> None:
    content = bytearray((SOURCES / "state.pth").read_bytes())
    at = content.rfind(b"PK\x05\x06") + field
    struct.pack_into("<H", content, at, value)
    path = tmp_path / "lies.pth"
    path.write_bytes(content)
    assert kind(path) == "pytorch-weights"


def test_a_table_of_half_a_gigabyte_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 9, 9, 1 << 29, 30, 0)
    path = tmp_path / "table.pth"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04" + bytes(26))
        file.truncate(1 << 29)
        file.seek(0, os.SEEK_END)
        file.write(end)
    tracemalloc.start()
    assert kind(path) == "pytorch-weights"
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 22


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "pipe.pt"
    os.mkfifo(path)
    assert kind(path) == ""


def test_a_length_of_safetensors_that_lies(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    assert kind(path) == ""


def test_no_pickle_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "was-run"

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(mark),)

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Hostile()))
    assert kind(path) == "pickle"
    with pytest.raises(InvalidModel, match="runs code as it is read"):
        format_for(path, PluginHost.discover())
    assert not mark.exists()
