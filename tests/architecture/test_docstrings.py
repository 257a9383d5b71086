"""Docstrings name their thing: no fragments of questions."""

from __future__ import annotations

import pytest

from tests.architecture import budgets
from tests.architecture.checkout import ROOT, made_up, product
from tests.architecture.counts import fragments


def test_there_are_no_more_fragments_than_there_were() -> None:
    found = budgets.measured(product())["fragments"]
    allowed = budgets.read_budget(ROOT)["fragments"]
    said = budgets.departures(found, allowed, "docstrings that are fragments")
    assert not said, "\n".join(said)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('class A:\n    """What one layer costs when it alone is quantized."""', ["A"]),
        ('class A:\n    """Where it stands."""', ["A"]),
        ('class A:\n    """A layer\'s cost."""', ["A"]),
        ('class A:\n    """The cost of one layer."""', []),
        ('class _A:\n    """What one layer costs."""', []),
        ('def f():\n    """What one layer costs."""', []),
        ('def f():\n    """What was measured."""', ["f"]),
        ('def f():\n    """How far it is."""', ["f"]),
        ('def f():\n    """How it is done."""', []),
        ('"""Who may release."""', ["studio.a"]),
        ('async def f():\n    """Whoever asks."""', []),
        ('def f():\n    text = "What was measured."', []),
    ],
)
def test_a_fragment_is_found(source: str, found: list[str]) -> None:
    assert fragments(made_up("studio/a.py", source)) == found
