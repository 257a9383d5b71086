"""Spellings of one file: every command gives the same answer for each, with real workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.settings import resource
from tests.e2e.conftest import STUDIO, Studio
from tests.rigs.agents.sessions import at_terminal

pytestmark = pytest.mark.slow

Spell = Callable[[Path, str], str]
"""Writes the path of a file in a folder; commands begin in the folder's parent."""


def through(link: str, *rest: str) -> Spell:
    """Spell a path through a link to the folder."""

    def spell(folder: Path, name: str) -> str:
        (folder.parent / link).symlink_to(folder)
        return str(Path(link, *rest, name))

    return spell


def renamed(to: str) -> Spell:
    """Copy the folder to another name."""

    def spell(folder: Path, name: str) -> str:
        shutil.copytree(folder, folder.parent / to)
        return f"{to}/{name}"

    return spell


def from_home(folder: Path, name: str) -> str:
    return "~/" + os.path.relpath(folder / name, folder.parent / "user")


def in_read_only(folder: Path, name: str) -> str:
    folder.chmod(0o555)
    return f"{folder.name}/{name}"


def linked_file(folder: Path, name: str) -> str:
    other = folder / f"{Path(name).stem}-link{Path(name).suffix}"
    other.symlink_to(name)
    return f"{folder.name}/{other.name}"


SPELLINGS: dict[str, Spell] = {
    "parent": lambda folder, name: f"../{folder.parent.name}/{folder.name}/{name}",
    "parent of nothing": lambda folder, name: f"user/../{folder.name}/./{name}",
    "dot": lambda folder, name: f"{folder.parent}/./{folder.name}//{name}",
    "home": from_home,
    "link": through("link"),
    "parent of a link": through("link", "..", "digits"),
    "linked file": linked_file,
    "space": renamed("two words"),
    "umlaut": renamed("Prüfung ñ 測試"),
    "decomposed": renamed("Pru\u0308fung"),
    "newline": renamed("two\nlines"),
    "dash": renamed("-q"),
    "255 bytes": renamed("n" * 255),
    "read-only": in_read_only,
}


@pytest.fixture
def folder(studio: Studio, digits: Path) -> Path:
    """A copy of the sample's folder, beside which the commands begin."""
    return Path(shutil.copytree(digits, studio.home / "digits"))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_any_spelling_of_a_model_gives_the_same_answer(
    spelling: str, studio: Studio, folder: Path
) -> None:
    plain = studio.ok("inspect", folder / "digits.onnx")
    other = SPELLINGS[spelling](folder, "digits.onnx")
    shutil.rmtree(studio.home / "edgewright" / "data" / "registry")  # its own run, by a worker
    ended = studio.run("inspect", "--json", "--", other)
    assert ended.code == 0, ended.err
    assert {**ended.json, "variant": 0} == {**plain, "variant": 0}


@pytest.mark.parametrize(
    "words",
    [
        "quantize {m} --data {d} --out {o}",
        "profile {m} --data {d}",
        "coverage {m}",
        "sensitivity {m} --data {d}",
        "evaluate {m} --data {d}",
        "package {m} --out {o}",
        "edit {m} --edit fold --out {o}",
        "diff {m} {m}",
        "run {p}",
    ],
    ids=lambda words: words.split()[0],
)
def test_each_command_reads_and_writes_by_way_of_a_parent(
    words: str, studio: Studio, folder: Path
) -> None:
    up = f"../{folder.parent.name}/{folder.name}"
    places = {
        "m": f"{up}/digits.onnx",
        "d": f"{up}/heldout.npz",
        "o": f"{up}/written",
        "p": f"{up}/pipeline.toml",
    }
    ended = studio.run(*(word.format(**places) for word in words.split()))
    assert ended.code == 0, ended.err
    assert ("{o}" in words) == bool(list(folder.glob("written*")))


@pytest.mark.parametrize(
    "words", ["inspect {f}", "quantize {f}", "coverage {f}", "profile {f} {f}", "diff {f} {f}"]
)
def test_a_folder_with_one_model_stands_for_it(words: str, studio: Studio, folder: Path) -> None:
    studio.ok("inspect", folder / "digits.onnx")  # a model of the folder's name is registered
    ended = studio.run(*words.format(f=folder.name).split())
    assert ended.code == 0, ended.err


@pytest.fixture
def several(folder: Path) -> Path:
    """The folder with another model."""
    shutil.copy(resource("samples", "vibration", "health", "health.onnx"), folder / "another.onnx")
    return folder


@pytest.mark.parametrize("command", ["open", "inspect", "quantize", "profile", "serve"])
def test_a_folder_with_several_models_names_them(
    command: str, studio: Studio, several: Path
) -> None:
    ended = studio.run(command, several)
    assert ended.code == 2
    assert "2 models: another.onnx, digits.onnx" in ended.err
    assert f"{several}/another.onnx" in ended.err


@pytest.mark.parametrize("words", ["inspect", "quantize --preset int8-dynamic"])
def test_a_person_is_asked_which_model(words: str, studio: Studio, several: Path) -> None:
    command = [*words.split(), str(several)]
    code, shown = at_terminal(command, "3\n2", studio.environment, "[1-2]")
    assert code == 0, shown
    assert "   1  another.onnx" in shown
    assert shown.count("Which model? [1-2]") == 2  # there is no third
    assert "Looking at digits.onnx" in shown


@pytest.mark.parametrize("command", ["open", "inspect"])
def test_without_an_answer_nothing_runs(command: str, studio: Studio, several: Path) -> None:
    code, shown = at_terminal([command, str(several)], "", studio.environment, "[1-2]")
    assert code == 130, shown


def test_more_models_than_a_screen_has_lines_are_named(studio: Studio, several: Path) -> None:
    for number in range(20):
        (several / f"more-{number}.onnx").touch()
    code, shown = at_terminal(["inspect", str(several)], "1", studio.environment, "[1-")
    assert code == 2, shown
    assert "has 22 models: another.onnx" in shown


def test_standard_input_is_the_file_that_the_command_was_given(
    studio: Studio, folder: Path
) -> None:
    plain = studio.ok("inspect", folder / "digits.onnx")
    shutil.rmtree(studio.home / "edgewright" / "data" / "registry")
    with (folder / "digits.onnx").open("rb") as given:
        ended = subprocess.run(
            [STUDIO, "inspect", "/dev/stdin", "--json"],
            stdin=given,
            capture_output=True,
            env=studio.environment,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr.decode()
    facts = json.loads(ended.stdout)
    assert {**facts, "variant": 0} == {**plain, "variant": 0}


def test_a_pipe_as_standard_input_is_refused_as_what_it_is(studio: Studio, folder: Path) -> None:
    ended = subprocess.run(
        [STUDIO, "inspect", "/dev/stdin"],
        input=(folder / "digits.onnx").read_bytes(),
        capture_output=True,
        env=studio.environment,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert b"Model: /dev/stdin is not a regular file." in ended.stderr
