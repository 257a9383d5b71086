"""What is printed, what is caught and what is read from the environment can be found again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.checkout import ROOT, Module, made_up, product

_VARIABLE = re.compile(r"EDGEWRIGHT_[A-Z][A-Z_]*[A-Z]")
_LOGGED = frozenset({"debug", "info", "warning", "error", "exception", "log", "print_exc"})


def sources() -> Iterator[Module]:
    for module in product():
        if module.path.startswith("studio/") and "runtime" not in module.path.split("/"):
            yield module


def prints(module: Module) -> Iterator[int]:
    """Lines on which something is printed."""
    for node in module.all(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno


def silent(module: Module) -> Iterator[int]:
    """Lines on which every exception is caught, and neither logged nor raised again."""
    for node in module.all(ast.ExceptHandler):
        if _catches_all(node) and not _is_told(node):
            yield node.lineno


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id == "Exception"
    )


def _is_told(handler: ast.ExceptHandler) -> bool:
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.Call):
            named = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            named = node.func.id if isinstance(node.func, ast.Name) else named
            if named in _LOGGED or named == "_log_failure":
                return True
    return False


_ALLOWED = {"studio/settings/redaction.py"}
"""It is called by logging itself."""


def test_only_commands_print() -> None:
    guilty = [f"{module.path}:{line}" for module in sources() for line in prints(module)]
    assert [place for place in guilty if not place.startswith("studio/cli/")] == []


def test_whoever_catches_every_exception_logs_it_or_raises() -> None:
    guilty = [f"{module.path}:{line}" for module in sources() for line in silent(module)]
    assert [place for place in guilty if place.partition(":")[0] not in _ALLOWED] == []


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("pass", True),
        ("return None", True),
        ("log.warning('x')", False),
        ("raise", False),
        ("raise Wrong from None", False),
        ("traceback.print_exc()", False),
    ],
)
def test_the_rule_for_exceptions_can_be_broken(body: str, wrong: bool) -> None:
    text = f"def f():\n try:\n  pass\n except Exception:\n  {body}\n"
    assert bool([*silent(made_up("a.py", text))]) is wrong
    assert [*silent(made_up("a.py", text.replace("Exception", "OSError")))] == []
    assert [*prints(made_up("a.py", "print(1)"))] == [1]


def test_the_page_of_variables_lists_those_of_the_code() -> None:
    page = (ROOT / "docs" / "environment.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `EDGEWRIGHT_")]
    listed = [_VARIABLE.findall(row)[0] for row in rows]
    assert listed == sorted(set(listed)), "each once, in order"
    assert set(listed) == variables()


def test_where_the_page_says_that_a_variable_is_read_it_is() -> None:
    page = (ROOT / "docs" / "environment.md").read_text()
    for row in (line for line in page.splitlines() if line.startswith("| `EDGEWRIGHT_")):
        name, (*_, places, _end) = _VARIABLE.findall(row)[0], row.split("|")
        found = re.findall(r"`([\w/]+\.py)`", places)
        assert found, row
        for place in found:
            assert name in (ROOT / place).read_text(), place


def variables() -> set[str]:
    """The variables that a user can meet: in code, and in files that ship with it."""
    suffixes = {".py", ".toml", ".txt", ".json", ".sh", ".yml", ".yaml"}
    return {
        name
        for place in ("studio", "plugins", "resources")
        for path in (ROOT / place).rglob("*")
        if path.suffix in suffixes
        for name in _VARIABLE.findall(path.read_text(encoding="utf-8", errors="replace"))
    }
