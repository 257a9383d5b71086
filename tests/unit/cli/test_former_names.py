"""Former commands, flags and verbs: accepted, hidden, and noted once in the log."""

from __future__ import annotations

import argparse
import json

import pytest

from studio.cli.main import FORMER, main
from studio.cli.main import _parser as parser_of


def parsed(*words: str) -> argparse.Namespace:
    return parser_of(words).parse_args(words)


@pytest.mark.parametrize(("former", "name"), FORMER.items())
def test_a_former_command_is_parsed_as_the_command(former: str, name: str) -> None:
    assert parsed(former, "list").command == name


FLAGS = {
    "quantize M --recipe X": "--preset X",
    "quantize M --predict": "--estimate",
    "quantize M --keep X": "--keep-float X",
    "sensitivity M --recipe X": "--preset X",
    "sensitivity M --judged 3": "--metric-layers 3",
    "profile M --looks 2": "--interim-checks 2",
    "profile M --limit 5": "--p99-limit-ms 5",
    "deploy --quality": "--trial",
    "deploy --no-quality": "--no-trial",
    "deploy --soak-rule X": "--trial-rule X",
    "deploy --agreement 5": "--shadow-cpu 5",
    "deploy --open-to-all": "--allow-unauthenticated",
    "rollout --quality canary": "--trial canary",
    "rollout --quality-s 5": "--trial-s 5",
    "rollout --soak-rule X": "--trial-rule X",
    "rollout --undo": "--rollback-on-halt",
    "rollout --first 2": "--first-wave 2",
    "rollout --size 2": "--wave-size 2",
    "target find --way subnet": "--source subnet",
    "target group X --dissolve": "--delete",
    "monitor silence --seen": "--ack",
    "monitor --forget-samples": "--delete-samples",
    "versions promote X --because Y": "--reason Y",
    "versions rollback X --because Y": "--reason Y",
    "registry watch X --moves 2": "--max-updates 2",
    "registry deploy X --unless 2": "--skip-version 2",
    "run --moves 2": "--max-runs 2",
    "run --fresh": "--no-cache",
    "package M --reference 64": "--drift-samples 64",
    "plugins forbid X": "",
}
"""Former flags behind their commands, and what they are called now."""


@pytest.mark.parametrize(("line", "flag"), FLAGS.items())
def test_a_former_flag_is_parsed_as_the_flag_and_hidden(
    line: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, _, former = line.partition(" --")
    words = before.split() if flag else ["plugins", "disable", "X"]
    assert vars(parsed(*line.split())) == vars(parsed(*words, *flag.split()))
    if not flag:
        return
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    shown = capsys.readouterr().out.split()
    assert flag.split()[0] in "".join(shown)
    assert not [word for word in shown if word.strip("[],") == f"--{former.split()[0]}"]


def test_the_verbs_that_help_shows_are_those_of_today(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plugins", "--help"])
    shown = capsys.readouterr().out
    assert "disable" in shown
    assert "forbid" not in shown


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
    monkeypatch.setattr("studio.api.options._noted", set())
    shown = []
    for command in ("presets", "recipes", "recipes"):
        assert main([command, "list", "--json"]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0] == shown[1]
    assert shown[0]["presets"] == shown[0]["recipes"] != []
    assert [record.getMessage() for record in caplog.records] == [
        "The name recipes is deprecated; use presets."
    ]
