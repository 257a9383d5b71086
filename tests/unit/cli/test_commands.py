"""The command line: exit codes, one JSON document, one sentence for what goes wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import commands, main
from studio.jobs import containment
from studio.settings import resource

DIGITS = resource("samples", "digits", "digits.onnx")


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    """Exit code, the one document on standard output, and standard error."""
    code = main([*words, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


@pytest.fixture(autouse=True)
def home(studio_home: Path) -> Path:
    return studio_home


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_describes_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"studio {command}" in capsys.readouterr().out


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2


def test_inspect_has_the_keys_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = run_json(capsys, "inspect", str(DIGITS))
    assert code == 0
    wanted = {"format", "nodes", "parameters", "macs", "opset", "inputs", "outputs", "intake"}
    assert wanted <= set(document)
    (value,) = document["inputs"]
    assert {"name", "dtype", "shape"} <= set(value)


def test_inspect_speaks_to_people_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(DIGITS)]) == 0
    assert "parameters" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"hello, this is a letter\n" * 9, "text"), (os.urandom(4096), "model")],
)
def test_a_file_that_is_no_model_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    code, document, errors = run_json(capsys, "inspect", str(file))
    assert code == 1
    assert words in document["error"]["message"]
    assert "Traceback" not in errors


def test_a_model_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, errors = run_json(capsys, "inspect", "/no/such/model.onnx")
    assert code == 2
    assert "does not exist" in document["error"]["message"]
    assert errors.startswith("studio: ")


def test_targets_are_listed_and_local_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = run_json(capsys, "target", "list")
    assert code == 0
    assert document[0]["url"] == "local:"


def test_plugins_backends_and_samples_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, plugins, _ = run_json(capsys, "plugins", "list")
    assert {"id", "version", "state", "reason", "capabilities"} <= set(plugins["plugins"][0])
    _, backends, _ = run_json(capsys, "backends", "list")
    listed = {one["name"]: one for one in backends["backends"]}
    assert listed["onnxruntime"]["state"] == "available"
    elsewhere = ("openvino", "nncf", "ncnn", "mnn", "litert", "pytorch")
    assert {listed[one]["state"] for one in elsewhere} == {"missing"}
    assert "studio backends install" in listed["nncf"]["reason"]
    assert listed["openvino"]["environment"]["licences"]
    _, samples, _ = run_json(capsys, "samples", "list")
    assert {sample["name"] for sample in samples["samples"]} >= {"digits", "ocr"}


def test_the_doctor_finds_this_installation_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = run_json(capsys, "doctor")
    wrong = [check for check in document["checks"] if not check["ok"]]
    assert (code, wrong) == (0, [])


def test_the_doctor_says_of_each_protection_whether_it_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, document, _ = run_json(capsys, "doctor")
    said = {check["name"]: check["text"] for check in document["checks"]}
    held = containment()
    assert said["sandbox"] == f"{held.value}: {held.explanation}"
    for one in held.protections:
        assert said[f"- {one.name}"] == f"{one.enforced.value}: {one.text}"


def test_a_pipeline_that_is_wrong_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text("[pipeline]\nname = 'x'\n")
    code, document, _ = run_json(capsys, "run", str(pipeline))
    assert code == 2
    assert "no steps" in document["error"]["message"]


GATED = """
[pipeline]
name = "gated"
[[steps]]
id = "open"
step = "open"
model = "{model}"
[[gates]]
name = "small"
value = "${{open.nodes}}"
max = 1
"""


@pytest.mark.slow
def test_a_gate_that_is_not_met_is_exit_code_3_with_a_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(GATED.format(model=DIGITS))
    report = tmp_path / "report.html"
    code, document, _ = run_json(capsys, "run", str(pipeline), "--report", str(report))
    assert code == 3
    assert document["gates"][0]["passed"] is False
    assert document["steps"][0]["state"] == "succeeded"
    text = report.read_text()
    assert "not met" in text
    assert "data:image/svg+xml" in text
    assert "<script" not in text


def test_a_failed_step_stops_the_pipeline(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"")
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(
        GATED.format(model="bad.onnx") + '[[steps]]\nstep = "inspect"\nmodel = "bad.onnx"\n'
    )
    code, document, _ = run_json(capsys, "run", str(pipeline))
    assert code == 1
    assert [step["state"] for step in document["steps"]] == ["failed", "not run"]
