"""Files that are there already: overwritten with --force, or with a yes on a terminal."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.settings import resource

DIGITS = resource("samples", "digits")
MODEL = str(DIGITS / "digits.onnx")
MINE = "mine\n"
WHEEL = "edgewright_headless-0.1.0-py3-none-any.whl"

COMMANDS = {
    "graph": ["graph", MODEL, "--out", "OUT.svg"],
    "edit": ["edit", MODEL, "--edit", "fold", "--out", "OUT.onnx"],
    "backup": ["registry", "backup", "--out", "OUT.zip"],
    "versions": ["versions", "export", "OUT.zip"],
    "package": ["package", MODEL, "--out", "OUT"],
    "write-ci": [
        *("run", str(DIGITS / "pipeline.toml"), "--write-ci", "github", "--out", "OUT.yml"),
        *("--wheel", WHEEL),
    ],
}


@pytest.fixture(autouse=True)
def home(studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / WHEEL).touch()
    return studio_home


class Terminal(io.StringIO):
    """Standard input and error of somebody who sits there."""

    def isatty(self) -> bool:
        return True


def written(name: str, folder: Path) -> tuple[list[str], Path]:
    words = COMMANDS[name]
    (out,) = (word for word in words if word.startswith("OUT"))
    path = folder / out.lower()
    path.write_text(MINE)
    return [str(path) if word == out else word for word in words], path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_there_is_left_alone(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, path = written(name, tmp_path)
    assert main(words) == 2
    assert f"{path} exists already; --force overwrites it." in capsys.readouterr().err
    assert main([*words, "--json"]) == 2
    assert "--force" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert path.read_text() == MINE


@pytest.mark.parametrize("name", ["graph", "edit", "write-ci"])
def test_force_overwrites_it(name: str, tmp_path: Path) -> None:
    words, path = written(name, tmp_path)
    assert main([*words, "--force"]) == 0
    assert path.read_bytes() != MINE.encode()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 130), ("", 130)])
def test_a_person_is_asked(
    answer: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, path = written("graph", tmp_path)
    said = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", said)
    assert main(words) == code
    assert f"{path} exists. Overwrite it? [y/N]" in said.getvalue()
    assert (path.read_text() == MINE) is (code != 0)


@pytest.mark.slow
def test_a_link_and_a_bundle_are_in_the_way_and_an_empty_folder_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link.svg").symlink_to(tmp_path / "nowhere")
    assert main(["graph", MODEL, "--out", str(tmp_path / "link.svg")]) == 2
    (tmp_path / "bundle").mkdir()
    package = ["package", MODEL, "--out", str(tmp_path / "bundle")]
    assert main(package) == 0
    assert main(package) == 2
    assert main([*package, "--force"]) == 0


@pytest.mark.slow
def test_a_file_in_a_named_folder_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", MODEL, "--edit", "fold", "--out", str(tmp_path)]
    assert main(words) == 0
    (made,) = tmp_path.glob("*.onnx")
    made.write_text(MINE)
    assert main([*words, "--force"]) == 1
    assert "Pass the path of the file" in capsys.readouterr().err
    assert made.read_text() == MINE


PIPELINE = """\
[pipeline]
name = "drawn"
title = "Drawn"
[[steps]]
id = "open"
step = "open"
model = "digits.onnx"
[[steps]]
id = "draw"
step = "graph"
model = "${open.variant}"
out = "graph.svg"
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    shutil.copy(MODEL, tmp_path)
    path = tmp_path / "pipeline.toml"
    path.write_text(PIPELINE)
    return path


@pytest.mark.slow
def test_a_pipeline_overwrites_what_a_pipeline_wrote_and_nobody_changed(
    pipeline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(pipeline), "--no-cache", "--report", str(tmp_path / "report.html")]
    assert main(words) == 0
    assert main(words) == 0, capsys.readouterr().err
    drawing = tmp_path / "graph.svg"
    drawing.write_text(MINE)
    assert main(words) == 2
    assert f"{drawing} exists already; --force overwrites it." in capsys.readouterr().err
    assert drawing.read_text() == MINE
    assert main([*words, "--force"]) == 0
    assert main(words) == 0


def test_a_strangers_recipe_overwrites_nothing_of_its_user(
    pipeline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "profile"
    profile.write_text(MINE)
    for out in (str(profile), "${run.folder}/../../../../profile"):
        pipeline.write_text(PIPELINE.replace("graph.svg", out))
        assert main(["run", str(pipeline)]) != 0
        assert profile.read_text() == MINE
