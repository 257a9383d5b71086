"""What a command prints of a stranger's names: on a terminal, in a log, in CI."""

from __future__ import annotations

import json
import re
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from studio.api import StudioError
from studio.cli.main import main
from studio.cli.output import fail, plain_output, print_lines, print_note
from studio.documents.text_table import table

EVIL = "x\x1b]52;c;ZXZpbA==\x07\r\n::error::owned\u202e##[error]"


@pytest.fixture(autouse=True)
def home(studio_home: Path) -> Path:
    return studio_home


def harmless(text: str) -> bool:
    commands = re.search(r"^\s*::|##\w*\[", text, re.MULTILINE)
    return not commands and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", [EVIL], ["y"], name=EVIL)],
        "g",
        [value(EVIL, TensorProto.FLOAT, [1, 4])],
        [value("y", TensorProto.FLOAT, [1, 4])],
    )
    path = tmp_path / "model.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    return path


def test_the_names_of_a_models_inputs(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert onnx.load(str(model)).graph.input[0].name == EVIL
    assert main(["inspect", str(model)]) == 0
    out = capsys.readouterr().out
    assert r"x\x1b]52;c;ZXZpbA==\x07\x0d\n::error::owned\u202e## [error]" in out
    assert harmless(out)


def test_json_keeps_the_name_and_is_harmless(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(model), "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out)["inputs"][0]["name"] == EVIL
    assert harmless(out)


def test_what_is_wrong_with_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["inspect", "a", EVIL])
    assert harmless(capsys.readouterr().err)
    assert main(["inspect", EVIL]) != 0
    assert harmless(capsys.readouterr().err)


def test_errors_tables_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    error = StudioError(EVIL, hint=EVIL, detail=f"one\n{EVIL}\ntwo")
    with plain_output():
        fail(error, as_json=False, debug=True)
        print_lines([EVIL, *table((EVIL, "b"), [(EVIL, 1)])])
        print_note(EVIL)
    out, err = capsys.readouterr()
    assert harmless(out)
    assert harmless(err)
    assert len(out.splitlines()) == 3, "a value may break no line"
    assert err.splitlines()[-1] == tidy(EVIL)


def tidy(text: str) -> str:
    assert text == EVIL
    return r"x\x1b]52;c;ZXZpbA==\x07\x0d\n::error::owned\u202e## [error]"


def test_the_streams_are_as_before_when_a_command_has_ended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with plain_output():
        print("\x1b[1m")
    print("\x1b[1m")
    assert capsys.readouterr().out == "\\x1b[1m\n\x1b[1m\n"
