"""Rules that every source file keeps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("studio", "plugins", "packaging", "resources", "tests")
MOST_LINES = 400


def sources(*places: str) -> Iterator[Path]:
    for place in places:
        yield from sorted((ROOT / place).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_modules_open_with_a_sentence_that_says_what_is_inside() -> None:
    guilty = {
        name(path): opening(path) for path in sources(*PLACES) if not described(opening(path))
    }
    assert guilty == {}


def opening(path: Path) -> str | None:
    """The first sentence of a module; None where the file is empty."""
    text = path.read_text()
    return (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0] if text.strip() else None


def described(sentence: str | None) -> bool:
    """Whether it is a whole sentence, and not one that only says that it is a file."""
    if sentence is None:
        return True
    return sentence.endswith((".", "?")) and not re.match(r"(This|The) (module|file)\b", sentence)


@pytest.mark.parametrize(
    ("sentence", "good"),
    [
        (None, True),
        ("A tree of errors.", True),
        ("", False),
        ("A tree", False),
        ("This file.", False),
    ],
)
def test_the_rule_for_openings_can_be_broken(sentence: str | None, good: bool) -> None:
    assert described(sentence) is good


def test_no_file_is_too_long() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in sources(*PLACES)}
    assert len(lengths) > 100
    # A class or a stage in a longer one may want a room of its own.
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_studio_has_the_folders_that_the_architecture_names() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    folders = [path.parent.name for path in (ROOT / "studio").glob("*/__init__.py")]
    folders += [path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")]
    assert [folder for folder in folders if f"`{folder}`" not in page] == []


def test_packaging_is_no_package() -> None:
    # It would shadow the library of the same name, which half of the installed tools import.
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_no_plugin_is_named_like_a_library() -> None:
    folders = [path.parent.name for path in (ROOT / "plugins").glob("*/plugin.toml")]
    assert folders
    assert [folder for folder in folders if not folder.startswith("studio_")] == []


def test_nobody_imports_a_panel() -> None:
    guilty = [
        f"{name(path)}: {module}"
        for path in sources("studio", "plugins")
        for module in imported(path)
        if module.endswith(".panel")
    ]
    assert guilty == []


def imported(path: Path) -> Iterator[str]:
    """Names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
