"""Lengths of the product's functions and files."""

from __future__ import annotations

from tests.architecture import budgets, counts
from tests.architecture.checkout import ROOT, Module, made_up, product

MOST_LINES = 600


def too_long(modules: tuple[Module, ...]) -> dict[str, int]:
    """Files that are too long, with their lines."""
    lengths = {module.path: counts.lines(module) for module in modules}
    return {path: lines for path, lines in lengths.items() if lines > MOST_LINES}


def test_no_function_is_too_long() -> None:
    found, allowed = counts.long_functions(product()), budgets.read_budget(ROOT)["functions"]
    said = budgets.departures(found, allowed, "lines in one function (more than 60 need a budget)")
    assert not said, "\n".join(said)


def test_no_file_is_too_long() -> None:
    assert len(product()) > 500
    assert too_long(product()) == {}


def test_a_file_of_601_lines_is_too_long() -> None:
    modules = tuple(made_up(f"studio/m{lines}.py", "a = 1\n" * lines) for lines in (600, 601))
    assert too_long(modules) == {"studio/m601.py": 601}


def test_a_function_of_61_lines_is_too_long_wherever_it_stands() -> None:
    def function(name: str, lines: int) -> str:
        return f"def {name}():\n" + "    a = 1\n" * (lines - 1)

    inner = "class A:\n    async " + function("three", 62).replace("\n", "\n    ")
    module = made_up("studio/a.py", f"{function('one', 60)}\n{function('two', 61)}\n{inner}")
    assert counts.long_functions([module]) == {"studio/a.py::two": 61, "studio/a.py::three": 62}
