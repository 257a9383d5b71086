"""What features add to slots, and damaged ones: one sentence, and the core goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import studio
from studio import feature_host, features
from studio.api import Unavailable
from studio.cli.main import main
from studio.feature_host import Slot
from studio.gui.window import stages
from studio.settings import resource

ROOT = Path(studio.__file__).parent

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


_ADDS = """
from studio.feature_host import Feature
FEATURE = Feature(adds={"tapes": ("work:TAPE", "work:REEL")})
"""


def test_a_slot_has_what_features_add(folder: Path) -> None:
    (folder / "feature.py").write_text(_ADDS)
    (folder / "work.py").write_text("TAPE, REEL = 1, 2\n")
    tapes: Slot[int] = Slot("tapes")
    assert tapes.added() == (1, 2)
    assert Slot[int]("reels").added() == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("TAPE = 1", "work has no REEL"), ("TAPE = REEL", "work: name 'REEL' is not defined")],
)
def test_what_a_feature_adds_and_does_not_have_is_one_sentence(
    text: str, reason: str, folder: Path
) -> None:
    (folder / "feature.py").write_text(_ADDS)
    (folder / "work.py").write_text(text)
    with pytest.raises(Unavailable, match=f"^The feature {folder.name} is damaged: {reason}"):
        Slot[int]("tapes").added()


def test_each_slot_that_a_feature_names_is_one_of_the_product() -> None:
    texts = [path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")]
    created = re.compile(r"\b(?:Slot(?:\[\w+\])?|added_texts)\(\s*\"([\w ]+)\"\s*\)")
    slots = {name for text in texts for name in created.findall(text)}
    slots |= {
        f"{what} of {stage}" for what in ("parts", "steps", "views") for stage in stages.BY_ID
    }
    added = {name for feature in feature_host.features().values() for name in feature.adds}
    assert added <= slots
    assert "kinds" in slots


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
