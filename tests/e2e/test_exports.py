"""The export of ONNX models by an example converter, and what cannot be exported."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from tests.e2e.conftest import Studio
from tests.e2e.example_toolchain import SOURCES, installed_studio
from tests.rigs import toolchain as rig

pytestmark = [pytest.mark.slow, pytest.mark.needs("bwrap")]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return installed_studio(tmp_path_factory.mktemp("exports"))


@pytest.fixture
def linear(tmp_path: Path) -> Path:
    path = tmp_path / "linear.onnx"
    onnx.save(rig.linear_model(), path)
    return path


def test_a_model_is_exported_and_compared(installed: Studio, linear: Path, tmp_path: Path) -> None:
    out = tmp_path / "linear.mlpackage"
    to = ("--to", "coreml", "--precision", "fp32", "--out", out)
    found = installed.ok("convert", linear, *to)
    assert (found["format"], found["output_format"], found["precision"]) == (
        "onnx",
        "coreml",
        "fp32",
    )
    (check,) = found["checks"]
    assert check["against"].startswith("ONNX Runtime ")
    assert check["max_error"] < 1e-5
    told = json.loads((out / "Data" / "told.json").read_text())
    assert told["inputs"]["x"]["shape"] == [1, 4]
    assert told["settings"] == {"precision": "fp32"}
    sizes, note = found["warnings"]
    assert "takes x with the sizes 1,4 alone" in sizes
    assert note == "Look twice."
    assert found["bytes"] == sum(one.stat().st_size for one in out.rglob("*") if one.is_file())
    again = installed.run("export", linear, *to)
    assert again.code == 1
    assert "exists already" in again.err
    assert len(list(out.rglob("*"))) == 2, "nothing was put into the older one"


def test_a_writer_gets_what_is_known_of_the_model(
    installed: Studio, linear: Path, tmp_path: Path
) -> None:
    model = onnx.load(linear)
    onnx.helper.set_model_props(model, {"license": "Apache-2.0", "author": "A. N.", "x": "y"})
    known = tmp_path / "known.onnx"
    onnx.save(model, known)
    labels, preprocess = tmp_path / "names.txt", tmp_path / "preprocess.toml"
    labels.write_text("cat\n dog \nbird\n", encoding="utf-8")
    preprocess.write_text('color = "GRAY"\nscale = 0.5\n', encoding="utf-8")
    installed.ok("inspect", known)
    installed.ok("project", "set", known, "--labels", labels, "--preprocess", preprocess)
    out = tmp_path / "known.mlpackage"
    installed.ok("export", known, "--to", "coreml", "--precision", "fp32", "--out", out)
    settings = json.loads((out / "Data" / "told.json").read_text())["settings"]
    assert settings["labels"] == ["cat", "dog", "bird"]
    assert (settings["preprocess"]["color"], settings["preprocess"]["scale"]) == ("GRAY", 0.5)
    assert settings["metadata"] == {"license": "Apache-2.0", "author": "A. N."}
    more = ("--labels", "none", "--out", tmp_path / "other.mlpackage")
    installed.ok("export", known, "--to", "coreml", "--precision", "fp32", *more)
    told = json.loads((tmp_path / "other.mlpackage" / "Data" / "told.json").read_text())
    assert "labels" not in told["settings"]


def test_an_export_without_a_copy_is_kept_with_its_run(installed: Studio, linear: Path) -> None:
    found = installed.ok("export", linear, "--to", "coreml", "--input", "x=2,4")
    assert (found["variant"], found["precision"]) == (0, "fp16")
    assert found["checks"][0]["limit"] == 0.02
    told = Path(found["output"], "Data", "told.json")
    assert json.loads(told.read_text())["inputs"]["x"]["shape"] == [2, 4]


def test_an_export_with_other_numbers_is_a_missed_gate(installed: Studio, linear: Path) -> None:
    path = linear.with_name("linear-far.onnx")
    model = rig.linear_model()
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(rig.linear_weights() * 1.1, "w")
    )
    onnx.save(model, path)
    done = installed.run("export", path, "--to", "coreml", "--precision", "fp32", "--json")
    assert done.code == 3
    assert "more than fp32 explains" in done.json["warnings"][-1]
    assert "first" not in done.json["checks"][0], "the model has no value that the writer knows"


def test_the_first_value_that_differs_in_an_export_is_named(
    installed: Studio, tmp_path: Path
) -> None:
    path = tmp_path / "linear-hidden.onnx"
    model = rig.linear_model(hidden=True)
    far = onnx.numpy_helper.from_array(rig.linear_weights() * 1.1, "w")
    model.graph.initializer[0].CopyFrom(far)
    onnx.save(model, path)
    done = installed.run("export", path, "--to", "coreml", "--precision", "fp32")
    assert done.code == 3
    words = "The first value that differs is 'h' (MatMul), by 0.091 of its largest value."
    assert words in done.out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--to", "openvino", "--precision", "int8"), 2, "OpenVINO IR is not written in int8"),
        (("--to", "tflite", "--precision", "int8"), 2, "needs samples for its calibration"),
        (
            ("--to", "executorch"),
            1,
            "PyTorch is not installed yet. ExecuTorch is not installed yet.",
        ),
        (
            ("--to", "executorch"),
            1,
            "Install them with: studio backends install pytorch && studio backends install "
            "executorch, or on the Plugins page.",
        ),
        (("--to", "gguf"), 2, "GGUF is not made of ONNX."),
        (("--to", "word-processor"), 2, "word-processor"),
    ],
)
def test_an_export_that_cannot_be(
    installed: Studio, linear: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    done = installed.run("export", linear, *options)
    assert done.code == code
    assert words in done.err


def test_an_operator_without_a_form_is_named_and_nothing_is_kept(
    installed: Studio, digits: Path, tmp_path: Path
) -> None:
    model = tmp_path / "plain.onnx"
    model.write_bytes((digits / "digits.onnx").read_bytes())
    installed.ok("inspect", model)
    done = installed.run("export", model, "--to", "coreml", "--out", tmp_path / "x.mlpackage")
    assert done.code == 1
    assert "no form of the operator Conv" in done.err
    assert not (tmp_path / "x.mlpackage").exists()


def test_an_onnx_model_needs_no_conversion_to_onnx(installed: Studio, digits: Path) -> None:
    done = installed.run("convert", digits / "digits.onnx")
    assert done.code == 2
    assert "is an ONNX model already" in done.err
    assert "--to tflite" in done.err


def test_only_onnx_is_exported(installed: Studio, tmp_path: Path) -> None:
    done = installed.run("convert", rig.linear_source(tmp_path / "m.pdmodel"), "--to", "coreml")
    assert done.code == 1
    assert "studio convert FILE" in done.err


@pytest.mark.parametrize("command", ["inspect", "quantize", "deploy"])
def test_a_folder_with_a_model_names_its_conversion(
    installed: Studio, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").touch()
    done = installed.run(command, folder)
    assert done.code == 1
    assert "bert is a model of Hugging Face transformers." in done.err
    assert "studio convert FILE" in done.err
    done = installed.run("inspect", tmp_path)
    assert done.code == 1
    assert "is a folder without a model in a known format" in done.err


def test_a_converter_that_is_not_installed_is_named(tmp_path: Path) -> None:
    fresh = Studio(tmp_path / "home")
    done = fresh.run("convert", SOURCES / "export.pt2")
    assert done.code == 1
    assert "PyTorch is not installed yet" in done.err
    assert "studio backends install pytorch" in done.err
    done = fresh.run("convert", SOURCES / "plain.joblib", "--run-code")
    assert done.code == 1
    assert "Trees and scikit-learn is not installed yet" in done.err
    assert "studio backends install lightgbm" in done.err
    done = fresh.run("convert", SOURCES / "weights.safetensors")
    assert done.code == 1
    assert "No installed converter reads a file of weights" in done.err
