"""The check of a model for the chip of an example plugin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest

from tests.e2e.conftest import Studio
from tests.e2e.example_toolchain import installed_studio
from tests.rigs import toolchain as rig

pytestmark = [pytest.mark.slow, pytest.mark.needs("bwrap")]

CHIP = ("--for", "example-chip")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return installed_studio(tmp_path_factory.mktemp("chips"))


def linear(folder: Path, description: str = "") -> Path:
    model = rig.linear_model()
    model.doc_string = description
    path = folder / "linear.onnx"
    onnx.save(model, path)
    return path


def test_a_model_runs_on_a_chip_that_a_plugin_brings(installed: Studio, tmp_path: Path) -> None:
    lines = {one["id"]: one for one in installed.ok("chips", "list")["chips"]}
    assert lines["example-chip"]["state"] == "available"
    assert "not installed yet" in lines["tflite-micro"]["state"]
    out = tmp_path / "linear.bin"
    found = installed.ok("check", linear(tmp_path), *CHIP, "--out", out)
    assert (found["chip"], found["verdict"], found["how"]) == ("example-chip", "runs", "simulated")
    assert found["nodes"] == {"total": 1, "on_chip": 1, "fallback": 0}
    assert found["numbers"]["max_error"] < 1e-5
    assert found["numbers"]["against"].startswith("ONNX Runtime")
    assert found["estimate"] == {"latency_ms": 0.5}
    assert (found["artefact"], out.read_bytes()) == (str(out), b"code")
    again = installed.run("check", linear(tmp_path), *CHIP, "--out", out)
    assert again.code in (1, 2)
    assert "exists already" in again.err


def test_a_node_that_stays_on_the_processor_has_its_remedy(
    installed: Studio, tmp_path: Path
) -> None:
    done = installed.run("check", linear(tmp_path, "partly"), *CHIP)
    assert done.code == 0
    assert "runs in part, 1 of 2 nodes on the chip" in done.out
    assert "fallback  Add sum: no adder" in done.out
    assert "Leave it out." in done.out
    assert "latency 0.5 ms; not measured" in done.out


def test_a_refusal_is_a_missed_gate(installed: Studio, tmp_path: Path) -> None:
    done = installed.run("check", linear(tmp_path, "refused"), *CHIP, "--json")
    assert done.code == 3
    assert done.json["verdict"] == "refused"
    assert done.json["reason"] == "The chip has no operator MatMul."
    assert done.json["nodes"]["on_chip"] == 0


@pytest.mark.parametrize(
    ("description", "reason"),
    [("crashes", "Example compiler ended"), ("elsewhere", "not where it should be")],
)
def test_a_compiler_that_fails_is_one_sentence(
    installed: Studio, tmp_path: Path, description: str, reason: str
) -> None:
    done = installed.run("check", linear(tmp_path, description), *CHIP, "--json")
    assert done.code == 3
    assert reason in done.json["reason"]
    assert done.json["artefact"] == ""


def test_a_crash_behind_the_compilation_leaves_the_verdict(
    installed: Studio, tmp_path: Path
) -> None:
    found = installed.ok("check", linear(tmp_path, "silent"), *CHIP)
    assert (found["verdict"], found["numbers"]) == ("runs", None)
    assert any("Outputs not compared" in text for text in found["warnings"])


def test_a_slow_chip_is_compared_on_fewer_samples(installed: Studio, tmp_path: Path) -> None:
    found = installed.ok("check", linear(tmp_path, "slow"), *CHIP)
    assert found["numbers"]["samples"] == 2
    assert found["numbers"]["max_error"] < 1e-5
    (text,) = [one for one in found["warnings"] if "not compared" in one]
    assert text.endswith("samples not compared: Example compiler is slow here.")
    all_of_them = installed.ok("check", linear(tmp_path), *CHIP)["numbers"]["samples"]
    assert text.startswith(f"{all_of_them - 2} ")


def test_what_does_not_fit_is_said_before_any_work(installed: Studio, tmp_path: Path) -> None:
    done = installed.run("check", linear(tmp_path), "--for", "example-chop")
    assert done.code == 2
    assert "Unknown chip 'example-chop'; the nearest is 'example-chip'" in done.err
    done = installed.run("check", linear(tmp_path), "--for", "ethos-u55-128")
    assert done.code == 1
    assert "studio backends install ethos-u && studio backends install pytorch" in done.err


def test_a_licence_has_to_be_accepted_before_anything_is_installed(installed: Studio) -> None:
    done = installed.run("backends", "install", "tensorrt")
    assert done.code == 4
    assert "tensorrt needs your acceptance: TensorRT for RTX comes under NVIDIA's own" in done.err
    assert "studio backends install tensorrt --accept-licence" in done.err
    (row,) = [one for one in installed.ok("backends", "list")["backends"] if one["name"] == "qnn"]
    assert row["state"] == "missing"
    assert "Qualcomm's own licence" in row["environment"]["terms"]


def test_a_folder_has_samples_with_the_outputs_of_the_model(
    installed: Studio, tmp_path: Path
) -> None:
    out = tmp_path / "made"
    found = installed.ok("check", linear(tmp_path, "folder"), "--for", "gated-chip", "--out", out)
    assert (found["verdict"], found["artefact"]) == ("runs", str(out))
    about = json.loads((out / "golden" / "samples.json").read_text())
    assert about == {"samples": 4, "max_error": 0.1}
    files = [path for path in out.rglob("*") if path.is_file()]
    assert found["bytes"] == sum(path.stat().st_size for path in files)
    session = onnxruntime.InferenceSession(str(tmp_path / "linear.onnx"))
    for number in range(4):
        given = numpy.load(out / "golden" / f"{number}.npz")
        (wanted,) = session.run(None, {"x": given["x"]})
        expected = numpy.load(out / "golden" / f"{number}.expected.npz")
        assert numpy.array_equal(expected["0"], wanted)


def test_other_numbers_are_a_refusal_where_the_chip_has_a_limit(
    installed: Studio, tmp_path: Path
) -> None:
    out = tmp_path / "made"
    words = ("--for", "gated-chip", "--out", out)
    done = installed.run("check", linear(tmp_path, "garbage"), *words, "--json")
    assert done.code == 3
    found = done.json
    assert (found["verdict"], found["artefact"], found["bytes"]) == ("refused", "", 0)
    assert (
        "answers with other numbers, without an error: largest relative error 1.0e+00"
        in (found["reason"])
    )
    assert found["reason"].endswith("Use another chip.")
    assert not out.exists()
    assert installed.ok("check", linear(tmp_path, "garbage"), *CHIP)["verdict"] == "runs"


def test_missing_numbers_are_a_refusal_where_the_chip_has_a_limit(
    installed: Studio, tmp_path: Path
) -> None:
    done = installed.run("check", linear(tmp_path, "silent"), "--for", "gated-chip", "--json")
    assert (done.code, done.json["verdict"], done.json["numbers"]) == (3, "refused", None)
    assert "signal 11" in done.json["reason"]
