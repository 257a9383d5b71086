"""A plugin with an environment of its own, by commands alone: installed, used, removed."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.e2e.conftest import Studio
from tests.e2e.example_toolchain import QUANTIZER, RUNTIME, installed_studio, listed
from tests.rigs import toolchain as rig

pytestmark = [pytest.mark.slow, pytest.mark.needs("bwrap")]

RANGES = {"x": [[-99] * 4, [99] * 4]}
QUICK = ("--seconds", "0.2", "--rounds", "3")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return installed_studio(tmp_path_factory.mktemp("toolchains"))


def test_what_is_installed_is_listed(installed: Studio) -> None:
    row = listed(installed)[RUNTIME]
    assert (row["state"], row["version"]) == ("available", "1.0")
    assert row["environment"]["condition"] == "installed"
    assert row["environment"]["licences"] == "example tool: Apache-2.0"


def test_a_backend_is_measured_with_its_own_interpreter(installed: Studio, digits: Path) -> None:
    found = installed.ok("profile", digits / "digits.onnx", "--backend", RUNTIME, *QUICK)
    (run,) = found["runs"]
    assert (run["state"], run["version"], run["precision"]) == ("measured", "1.0", "bf16")
    assert run["latency_ms"]["p50"] > 0


def test_one_that_computes_something_else_is_not_timed(installed: Studio, digits: Path) -> None:
    both = ("--backend", "onnxruntime", "--backend", RUNTIME)
    found = installed.ok("profile", digits / "digits.onnx", *both, *QUICK)
    good, wrong = found["runs"]
    assert good["state"] == "measured"
    assert wrong["state"] == "wrong output"
    assert wrong["latency_ms"]["p50"] is None


def test_a_quantizer_works_behind_the_walls_of_the_worker(installed: Studio, digits: Path) -> None:
    found = installed.ok("quantize", digits / "digits.onnx", "--method", QUANTIZER)
    assert found["name"] == f"int8-{QUANTIZER}"
    facts = found["facts"]
    assert facts["tool"] == "1.0"
    assert facts["prefix"].endswith(f"environments/{rig.ID}")
    assert facts["interfaces"] == ["lo"]
    assert facts["home"] != str(installed.user)
    assert facts["studio"] is False


def test_a_model_of_another_framework_becomes_one_of_the_registry(
    installed: Studio, tmp_path: Path
) -> None:
    source = rig.linear_source(tmp_path / "shop.pdmodel")
    refused = installed.run("inspect", source)
    assert "Convert it: studio convert FILE" in refused.err
    found = installed.ok("convert", source, "--out", tmp_path / "shop.onnx")
    (check,) = found["checks"]
    assert (check["against"], check["samples"]) == ("Example framework 1.0", 33)
    assert check["max_error"] < 1e-5
    assert check["argmax_equal"] == 1.0
    assert found["format"] == "paddle"
    assert found["output_format"] == "onnx"
    assert found["dynamic"] == {"x": ["batch"]}
    assert (found["model"], found["name"], found["warnings"]) == ("shop", "fp32", [])
    summary = installed.ok("inspect", found["output"])
    assert summary["operators"] == {"MatMul": 1}
    profile = installed.ok("profile", "shop", *QUICK)
    assert profile["runs"][0]["state"] == "measured"


def test_the_samples_of_the_comparison_are_the_users(installed: Studio, tmp_path: Path) -> None:
    source = rig.linear_source(tmp_path / "own.pdmodel")
    numpy.savez(tmp_path / "data.npz", x=numpy.ones((3, 4), numpy.float32))
    found = installed.ok("convert", source, "--data", tmp_path / "data.npz")
    assert found["checks"][0]["samples"] == 3
    numpy.savez(tmp_path / "wrong.npz", x=numpy.ones((3, 5), numpy.float32))
    refused = installed.run("convert", source, "--data", tmp_path / "wrong.npz")
    assert refused.code == 1
    assert "x" in refused.err


def test_made_up_samples_lie_where_the_converter_wants_them(
    installed: Studio, tmp_path: Path
) -> None:
    ranges = {"x": [[100, 200, 300, 0], [110, 220, 330, 0]]}
    source = rig.linear_source(tmp_path / "far.pdmodel", ranges=ranges)
    found = installed.ok("convert", source)
    assert found["checks"][0]["samples"] == 33, found["warnings"]


def test_a_conversion_with_other_numbers_is_a_missed_gate(
    installed: Studio, tmp_path: Path
) -> None:
    source = rig.linear_source(tmp_path / "off.pdmodel", offset=0.5)
    done = installed.run("convert", source, "--json")
    assert done.code == 3
    assert done.json["checks"][0]["max_error"] > 0.01
    assert "more than rounding explains" in done.json["warnings"][0]
    assert "first" not in done.json["checks"][0]


@pytest.mark.parametrize(
    ("places", "first", "words"),
    [
        (
            {"h": "shop.py:41", "other": ""},
            {"value": "h", "operator": "MatMul", "source": "shop.py:41"},
            "first value that differs is 'h' (MatMul), by ",
        ),
        ({"other": "shop.py:1"}, None, ""),
    ],
)
def test_the_first_value_that_differs_is_named(
    installed: Studio,
    tmp_path: Path,
    places: dict[str, str],
    first: dict[str, str] | None,
    words: str,
) -> None:
    model = rig.linear_model(hidden=True).SerializeToString()
    source = rig.linear_source(
        tmp_path / "shop.pdmodel", offset=0.5, places=places, onnx=base64.b64encode(model).decode()
    )
    done = installed.run("convert", source, "--json")
    assert done.code == 3, done.err
    (check,) = done.json["checks"]
    (warning,) = done.json["warnings"]
    assert words in warning
    if first is None:
        assert "first" not in check
        assert warning.endswith("explains (0.001).")
        return
    assert check["first"].pop("error") == pytest.approx(check["max_error"], rel=1e-3)
    assert check["first"].pop("node").startswith("MatMul")
    assert check["first"] == first
    assert warning.endswith("of its largest value; it comes from shop.py:41.")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"error": "There is no ONNX form of Tree."}, "There is no ONNX form of Tree."),
        ({"onnx": "bm90IGEgbW9kZWw="}, "made a file that cannot be opened"),
        ({"weights": [[0.0]]}, "reader failed"),
    ],
)
def test_a_model_that_cannot_be_converted(
    installed: Studio, tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    before = installed.ok("versions", "list")
    source = rig.linear_source(tmp_path / "bad.pdmodel", **more)
    done = installed.run("convert", source, "--out", tmp_path / "bad.onnx")
    assert done.code == 1
    assert words in done.err
    assert not (tmp_path / "bad.onnx").exists()
    assert installed.ok("versions", "list") == before


def test_an_original_with_other_outputs_is_not_compared(installed: Studio, tmp_path: Path) -> None:
    found = installed.ok("convert", rig.linear_source(tmp_path / "two.pdmodel", outputs=2))
    assert found["checks"] == []
    assert "has 2 outputs, and the converted model 1" in found["warnings"][0]


def test_what_the_user_wants_of_inputs_reaches_the_converter(
    installed: Studio, tmp_path: Path
) -> None:
    wanted = {"x": {"shape": [1, 4], "dtype": "int64", "dynamic": {"0": "batch"}}}
    source = rig.linear_source(tmp_path / "in.pdmodel", inputs=wanted, warnings=["Look twice."])
    options = ("--input", "x=1,4:int64", "--dynamic", "x=batch")
    assert installed.ok("convert", source, *options)["warnings"] == ["Look twice."]


def test_a_model_that_runs_code_needs_consent(installed: Studio, tmp_path: Path) -> None:
    source = rig.linear_source(tmp_path / "shop.pkl")
    refused = installed.run("convert", source)
    assert refused.code == 4
    assert "shop.pkl is a Python pickle, which runs code as it is read." in refused.err
    assert "--run-code" in refused.err
    found = installed.ok("convert", source, "--run-code")
    assert found["format"] == "pickle"
    assert found["checks"][0]["max_error"] < 1e-5


def test_no_code_is_run_without_a_sandbox(installed: Studio, tmp_path: Path) -> None:
    source = rig.linear_source(tmp_path / "open.pkl")
    settings = installed.home / "edgewright" / "config" / "settings.json"
    before = settings.read_text() if settings.exists() else None
    settings.write_text('{"sandbox": false}')
    try:
        refused = installed.run("convert", source, "--run-code")
    finally:
        settings.unlink() if before is None else settings.write_text(before)
    assert refused.code == 4
    assert "open.pkl runs code as it is read, and this machine has no sandbox" in refused.err


def test_a_result_that_its_source_changes_is_refused(installed: Studio, tmp_path: Path) -> None:
    source = rig.linear_source(tmp_path / "sly.pkl", meddles=True)
    before = installed.ok("versions", "list")
    refused = installed.run("convert", source, "--run-code")
    assert refused.code == 4
    assert "The converted model was changed while it was compared." in refused.err
    assert installed.ok("versions", "list") == before


def test_a_converter_may_bring_its_own_samples(installed: Studio, tmp_path: Path) -> None:
    rows = numpy.arange(40).reshape(10, 1, 4).tolist()
    found = installed.ok(
        "convert", rig.linear_source(tmp_path / "rows.pdmodel", samples=rows, ranges=RANGES)
    )
    assert (found["checks"][0]["samples"], found["warnings"]) == (11, [])
    rows = numpy.arange(50).reshape(10, 1, 5).tolist()
    found = installed.ok(
        "convert", rig.linear_source(tmp_path / "odd.pdmodel", samples=rows, ranges=RANGES)
    )
    assert found["checks"] == []
    assert "Input 'x' has data of shape" in found["warnings"][0]


def test_what_is_gone_is_named_and_can_be_removed(installed: Studio, digits: Path) -> None:
    folder = Path(listed(installed)[RUNTIME]["environment"]["folder"])
    (folder / "bin" / "python").unlink()
    assert listed(installed)[RUNTIME]["state"] == "broken"
    refused = installed.run("profile", digits / "digits.onnx", "--backend", RUNTIME)
    assert refused.code == 1
    assert "must be installed again: its Python 3" in refused.err
    assert "studio backends install" in refused.err
    installed.ok("backends", "remove", QUANTIZER)
    assert not folder.exists()
    again = installed.run("backends", "remove", QUANTIZER)
    assert again.code == 1
    assert "is not installed" in again.err
