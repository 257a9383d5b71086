"""The budgets of folders: ``Any``, look-ups with a text key, flat files, lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import budgets, counts
from tests.architecture.checkout import ROOT, made_up, product
from tests.architecture.measure import main

WHAT = {
    "any": "uses of Any",
    "lookups": "look-ups with a text key",
    "flat_files": "files in one folder (more than 25 need a budget)",
}


@pytest.mark.parametrize("table", WHAT)
def test_folders_keep_to_their_budgets(table: str) -> None:
    found = budgets.measured(product())[table]
    said = budgets.departures(found, budgets.read_budget(ROOT)[table], WHAT[table])
    assert not said, "\n".join(said)


def test_lines_keep_to_their_budget() -> None:
    found = budgets.measured(product())["lines"]
    said = budgets.line_departures(found, budgets.read_budget(ROOT)["lines"])
    assert not said, "\n".join(said)


def test_more_than_the_budget_is_a_departure_and_so_is_less() -> None:
    budget = {"studio/a": 3, "studio/gone": 1}
    assert budgets.departures({"studio/a": 3, "studio/gone": 1}, budget, "things") == []
    said = budgets.departures({"studio/a": 2, "studio/new": 1}, budget, "things")
    assert said == [
        f"studio/a: 2 things; lower the budget of 3 with `{budgets.COMMAND}`.",
        f"studio/gone: 0 things; lower the budget of 1 with `{budgets.COMMAND}`.",
        "studio/new: 1 things, and the budget is 0.",
    ]
    (more,) = budgets.departures({"studio/a": 4, "studio/gone": 1}, budget, "things")
    assert more == "studio/a: 4 things, and the budget is 3."


@pytest.mark.parametrize(("lines", "kept"), [(501, False), (500, True), (1, True)])
def test_lines_may_be_fewer_by_a_little(lines: int, kept: bool) -> None:
    assert (budgets.line_departures({"studio": lines}, {"studio": 500}) == []) is kept
    assert budgets.line_departures({"studio": 500}, {"studio": 1500}) != []


def test_every_use_of_any_counts_but_its_import() -> None:
    source = """
    import typing
    from typing import Any
    def f(a: dict[str, Any], b: typing.Any) -> Any:
        return cast(Any, "Any")
    """
    assert counts.any_uses(made_up("studio/a.py", source)) == 4


def test_reads_with_a_text_key_count_and_writes_do_not() -> None:
    source = """
    a["read"], a[key], a[0]
    a["written"] = a.get("read")
    del a["gone"]
    a.get("read", None), a.get(key), a.pop("gone"), get("read")
    """
    assert counts.text_lookups(made_up("studio/a.py", source)) == 3


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("studio/models/diff/matching.py", "studio/models"),
        ("studio/runtime/serve/http/wire.py", "studio/runtime/serve"),
        ("studio/runtime/main.py", "studio/runtime"),
        ("studio/gui/pages/runs/page.py", "studio/gui/pages"),
        ("studio/gui/app.py", "studio/gui"),
        ("studio/__init__.py", "studio"),
        ("plugins/studio_onnx/rewriting/folding.py", "plugins/studio_onnx"),
    ],
)
def test_folders_of_the_budgets(path: str, area: str) -> None:
    assert made_up(path, "").area == area


def test_a_folder_of_more_than_25_files_is_full() -> None:
    modules = [made_up(f"studio/a/m{number}.py", "") for number in range(25)]
    assert counts.full_folders([*modules, made_up("studio/a/b/c.py", "")]) == {}
    assert counts.full_folders([*modules, made_up("studio/a/__init__.py", "")]) == {"studio/a": 26}


def test_what_is_written_is_what_is_asked_for_and_is_not_raised_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("studio/models", "plugins", "docs", "tests/architecture"):
        (tmp_path / folder).mkdir(parents=True)
    for page in ("README.md", "CHANGELOG.md"):
        (tmp_path / page).write_text("# Title\n")
    source = tmp_path / "studio" / "models" / "a.py"
    source.write_text('a: Any = b["key"]\n')
    command = [str(tmp_path), "--write-budgets"]
    assert main(command) == 0
    first = budgets.read_budget(tmp_path)
    assert first["any"] == first["lookups"] == {"studio/models": 1}
    assert first["lines"] == {"studio": 500}

    source.write_text('a: Any = b["key"]\nc: Any = "a recipe is told"\n')
    product.cache_clear()
    assert main(command) == 1
    assert "any: 1 before, 2 now." in capsys.readouterr().out
    assert budgets.read_budget(tmp_path) == first

    assert main([*command, "--more"]) == 0
    assert budgets.read_budget(tmp_path)["any"] == {"studio/models": 2}
    names = [tmp_path / "tests/architecture" / name for name in (budgets.BUDGETS, budgets.WORDS)]
    texts = [path.read_text() for path in names]
    assert '"studio/models/a.py" = { "recipe" = 1, "tells" = 1 }' in texts[1]
    assert main(command) == 0
    assert [path.read_text() for path in names] == texts, "equal sources give equal bytes"
