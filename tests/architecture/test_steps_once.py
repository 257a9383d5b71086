"""One place for a step: what is known of it stands in its declaration, not in tables elsewhere."""

from __future__ import annotations

import pytest

from tests.architecture import budgets
from tests.architecture.checkout import ROOT, made_up, product
from tests.architecture.counts import step_names, step_tables

STEPS = made_up(
    "studio/models/step.py",
    """
    OPEN = Step(name="open", title="Open")
    GRAPH = Step("graph", title="Graph")
    DIFF = Step[Options, Result](name="diff", title="Diff")
    """,
)

# Today's offenders are the table [step_tables] of budgets.toml. Among them are some that only
# share words with steps: the pages of the window, and the verbs of the program on the target.


def test_no_more_tables_of_steps_than_there_were() -> None:
    modules = product()
    assert len(step_names(modules)) > 50
    allowed = budgets.read_budget(ROOT)["step_tables"]
    said = budgets.departures(step_tables(modules), allowed, "tables of step names")
    assert not said, "\n".join(said)


def test_steps_are_known_by_their_declarations() -> None:
    assert step_names([STEPS]) == {"open", "graph", "diff"}


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ('("open", "graph", "diff")', 1),
        ('["open", "graph", "diff", "more"]', 1),
        ('{"open", "graph", "diff"}', 1),
        ('{"open": 1, "graph": 2, "diff": 3}', 1),
        ('stage("Model", "open", "graph", "diff")', 1),
        ('frozenset(("open", "graph", "diff"))', 1),
        ('{"a": ("open", "graph"), "b": ("diff",)}', 0),
        ('("open", "graph", "graph")', 0),
        ('{1: "open", 2: "graph", 3: "diff"}', 0),
    ],
)
def test_a_table_of_three_steps_is_found(table: str, found: int) -> None:
    other = made_up("studio/cli/main.py", f"TABLE = {table}")
    assert step_tables([STEPS, other]) == ({other.path: found} if found else {})
