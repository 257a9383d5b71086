"""The program that measures: what it prints, and what its figures are made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.architecture.checkout import made_up
from tests.architecture.counts import comment_lines, docstring_lines
from tests.architecture.measure import main
from tests.architecture.touched import files_of_page, files_of_steps

SOURCE = """
class A:
    '''A docstring
    of two lines.'''

    def f(self, x):  # with "quotes"
        # alone
        return "# no comment", '''
# none either''', f"{x}#"
"""


def test_comments_and_docstrings_are_counted_by_line() -> None:
    module = made_up("studio/a.py", SOURCE)
    assert (comment_lines(module), docstring_lines(module)) == (2, 2)


def test_a_step_is_touched_where_its_name_stands_outside_of_itself() -> None:
    modules = [
        made_up(
            "studio/models/step.py",
            """
            OPEN = Step(name="open", work="studio.models.work:open_model", summary="a file: open")
            DIFF = Step(name="diff", command=Command(texts="studio.models.texts:diff"))
            """,
        ),
        made_up("studio/models/work.py", 'NAME, OTHER = "open", "diff"'),
        made_up("studio/models/texts.py", 'NAME, OTHER = "open", "diff"'),
        made_up("studio/cli/main.py", 'COMMANDS = {"open": 1, "opening": 2}'),
    ]
    assert files_of_steps(modules) == {
        "diff": ["studio/models/work.py"],
        "open": ["studio/models/texts.py", "studio/cli/main.py"],
    }


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        ('self.go("runs")', True),
        ('_stage("Runs", 7)', True),
        ('"studio.gui.pages.runs:RunsPage"', True),
        ('{"runs": 1, "model": 2}', True),
        ('{"runs": 1, "other": 2}', False),
        ('result.get("runs") or result["runs"]', False),
        ('"It runs."', False),
    ],
)
def test_a_page_is_touched_where_the_window_names_it(source: str, counts: bool) -> None:
    pages = [
        made_up(f"studio/gui/pages/{name}/page.py", f'class P:\n    stage = "{name}"')
        for name in ("runs", "model")
    ]
    other = made_up("studio/gui/stages.py", source)
    outside = made_up("studio/cli/main.py", 'go("runs")')
    assert files_of_page([*pages, other, outside], "runs") == ([other.path] if counts else [])


def test_two_checkouts_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("old", "a: Any\n"), ("new", "a: int\nb: int\n")):
        (tmp_path / name / "studio").mkdir(parents=True)
        (tmp_path / name / "studio" / "a.py").write_text(text)
        for page in ("README.md", "CHANGELOG.md"):
            (tmp_path / name / page).write_text("# Title\n")
    new, old = str(tmp_path / "new"), str(tmp_path / "old")
    assert main([new, "--before", old]) == 0
    table = capsys.readouterr().out.splitlines()
    assert "| lines | 1 | 2 | +1 |" in table
    assert "| Any in studio | 1 | 0 | -1 |" in table
    assert main([old, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["any_uses"] == {"studio": 1}
