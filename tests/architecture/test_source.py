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


def named(paths: Iterator[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


@pytest.mark.parametrize("path", named(sources(*PLACES)))
def test_opens_with_a_sentence_that_says_what_is_inside(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "the module has no docstring"
    first = docstring.split("\n\n")[0]
    assert first.endswith("."), f"not a whole sentence: {first!r}"
    assert not re.match(r"(This|The) (module|file)\b", first), f"says that it is a file: {first!r}"


@pytest.mark.parametrize("path", named(sources(*PLACES)))
def test_is_not_too_long(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES, "a class or a stage in it may want a room of its own"


def test_studio_has_the_folders_that_the_architecture_names() -> None:
    described = (ROOT / "docs" / "architecture.md").read_text()
    folders = {path.parent.name for path in (ROOT / "studio").glob("*/__init__.py")}
    assert {name for name in folders if f"`studio/{name}`" not in described} == set()


def test_packaging_is_no_package() -> None:
    # It would shadow the library of the same name, which half of the installed tools import.
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_no_plugin_is_named_like_a_library() -> None:
    folders = [path.parent.name for path in (ROOT / "plugins").glob("*/plugin.toml")]
    assert folders
    assert [name for name in folders if not name.startswith("studio_")] == []


def test_nobody_imports_a_panel() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}: {module}"
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
