"""Damaged features: one sentence that names the file, and the core goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import feature_host, features
from studio.cli.main import main
from studio.settings import resource

AGAIN = "Install Edgewright again, or delete the feature's folder."
_COMMANDS = """
from studio.feature_host import Feature
FEATURE = Feature(commands={"rusty": "do it"})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, studio_home: Path) -> Iterator[Path]:
    """The folder of a feature, next to those that are installed."""
    path = tmp_path / tmp_path.name  # which no other test has imported
    (path / "commands").mkdir(parents=True)
    monkeypatch.setattr(feature_host, "_FOLDER", tmp_path)
    monkeypatch.setattr(features, "__path__", [str(tmp_path)])
    feature_host.features.cache_clear()
    yield path
    feature_host.features.cache_clear()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "declares no FEATURE"),
        ("FEATURE = 1", "declares no FEATURE"),
        ("FEATURE = (", "was never closed"),
        ("import not_there", "No module named 'not_there'"),
        ("from . import gone", "cannot import name 'gone'"),
        ("import {package}.gone", "gone.py is missing"),
    ],
)
def test_a_damaged_declaration_is_one_sentence(
    text: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "feature.py").write_text(text.replace("{package}", f"studio.features.{folder.name}"))
    assert main(["no-command-of-the-core"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"studio: The feature {folder.name} is damaged: ")
    assert reason in printed
    assert AGAIN in printed
    (error,) = feature_host.damages()
    assert reason in error.message
    assert main(["inspect", str(resource("samples", "digits", "digits.onnx"))]) == 0


@pytest.mark.parametrize("gone", ["commands/rusty.py", "work.py"])
def test_a_missing_file_is_one_sentence(
    gone: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "feature.py").write_text(_COMMANDS)
    if gone == "work.py":
        (folder / "commands" / "rusty.py").write_text(
            "def add(parser): pass\n"
            f"def run(arguments): import studio.features.{folder.name}.work\n"
        )
    assert main(["rusty"]) == 1
    printed = capsys.readouterr().err
    assert printed == (
        f"studio: The feature {folder.name} is damaged: {folder / gone} is missing.\n"
        f"        {AGAIN}\n"
    )
