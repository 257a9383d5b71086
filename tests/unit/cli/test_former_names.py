"""Former commands, flags and verbs: accepted, hidden, and noted once in the log."""

from __future__ import annotations

import argparse
import json

import pytest

from studio.api import former_names
from studio.cli.main import FORMER, main
from studio.cli.main import _parser as parser_of


def parsed(*words: str) -> argparse.Namespace:
    return parser_of(words).parse_args(words)


@pytest.mark.parametrize(("former", "name"), FORMER.items())
def test_a_former_command_is_parsed_as_the_command(former: str, name: str) -> None:
    assert parsed(former, "list").command == name


@pytest.mark.parametrize("command", ["quantize", "sensitivity"])
def test_recipe_is_preset(command: str) -> None:
    assert parsed(command, "m.onnx", "--recipe", "int8").preset == "int8"
    assert parsed(command, "m.onnx", "--preset", "int8").preset == "int8"


@pytest.mark.parametrize(("words", "former"), [(("quantize", "--help"), "--recipe")])
def test_no_help_shows_former_names(
    words: tuple[str, ...], former: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert former not in capsys.readouterr().out


def test_the_list_of_commands_shows_no_former_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "\n    presets " in shown
    assert not [name for name in FORMER if f"\n    {name} " in shown]


def test_recipes_lists_the_presets_under_both_keys(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(former_names, "_noted", set())
    shown = []
    for command in ("presets", "recipes", "recipes"):
        assert main([command, "list", "--json"]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0] == shown[1]
    assert shown[0]["presets"] == shown[0]["recipes"] != []
    assert [record.getMessage() for record in caplog.records] == [
        "The name recipes is deprecated; use presets."
    ]
