"""Completion scripts, executed by the shells that they are for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from studio.cli.main import commands, full_parser, main
from studio.cli.shell.completion import SHELLS, completion
from studio.cli.shell.tree import Command, command_tree

_ZSH = """
_describe() {{ print -l -- "${{(@P)@[-1]}}" }}
_files() {{ print files }}
compdef() {{ }}
source {script}
words=({words})
CURRENT={current}
_studio
"""


@pytest.fixture(scope="module")
def root() -> Command:
    return command_tree(full_parser())


@pytest.fixture(scope="module")
def scripts(root: Command, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("scripts")
    for shell in SHELLS:
        (folder / shell).write_text(completion(shell, root), encoding="utf-8")
    return {shell: folder / shell for shell in SHELLS}


def bash(script: Path, *words: str) -> list[str]:
    """Return the candidates for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    code = (
        f"source {script}; COMP_WORDS=(studio {line}); COMP_CWORD={len(words)}; _studio; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return answer("bash", "--norc", "-c", code)


def zsh(script: Path, *words: str) -> list[str]:
    line = " ".join(f"'{word}'" for word in ("studio", *words))
    code = _ZSH.format(script=script, words=line, current=len(words) + 1)
    return [line.partition(":")[0] for line in answer("zsh", "-f", "-c", code)]


def fish(script: Path, *words: str) -> list[str]:
    code = f"source {script}; complete -C 'studio {' '.join(words)}'"
    found = answer("fish", "--no-config", "-c", code)
    return [line.partition("\t")[0] for line in found]


def answer(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout.split("\n")


SHELL = pytest.mark.parametrize(
    ("shell", "complete"),
    [
        pytest.param("bash", bash, marks=pytest.mark.needs("bash")),
        pytest.param("zsh", zsh, marks=pytest.mark.needs("zsh")),
        pytest.param("fish", fish, marks=pytest.mark.needs("fish")),
    ],
)


def test_the_tree_has_every_command_and_no_former_one(root: Command) -> None:
    assert [verb.path for verb in root.verbs] == [(name,) for name in commands()]
    assert all(verb.help for command in root.verbs for verb in command.walk())


@SHELL
def test_commands_are_offered(shell: str, complete: object, scripts: dict[str, Path]) -> None:
    assert {"deploy", "desktop"} <= set(complete(scripts[shell], "de"))  # type: ignore[operator]


@SHELL
def test_verbs_are_offered(shell: str, complete: object, scripts: dict[str, Path]) -> None:
    found = set(complete(scripts[shell], "backends", ""))  # type: ignore[operator]
    assert {"list", "install", "remove"} <= found
    assert "deploy" not in found


@SHELL
def test_flags_of_a_verb_are_offered(
    shell: str, complete: object, scripts: dict[str, Path]
) -> None:
    found = set(complete(scripts[shell], "backends", "install", "--"))  # type: ignore[operator]
    assert {"--wheels", "--json"} <= found


@SHELL
def test_choices_of_a_flag_are_offered(
    shell: str, complete: object, scripts: dict[str, Path]
) -> None:
    found = set(complete(scripts[shell], "graph", "--cost", ""))  # type: ignore[operator]
    assert {"none", "macs", "weights"} <= found
    assert "--json" not in found


def test_choices_follow_an_equals_sign_in_bash(scripts: dict[str, Path]) -> None:
    assert bash(scripts["bash"], "graph", "--cost", "=", "ma") == ["macs", ""]


def test_a_value_that_is_the_name_of_a_command_is_none(scripts: dict[str, Path]) -> None:
    assert "--seconds" in bash(scripts["bash"], "profile", "deploy", "--se")


def test_files_are_offered_where_a_model_is_asked_for(
    scripts: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my model.onnx").touch()
    monkeypatch.chdir(tmp_path)
    assert "my model.onnx" in bash(scripts["bash"], "inspect", "my")[0]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_the_script(
    shell: str, scripts: dict[str, Path], capsys: pytest.CaptureFixture[str], studio_home: Path
) -> None:
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == scripts[shell].read_text(encoding="utf-8").rstrip() + "\n"
