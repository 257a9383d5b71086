"""Nobody asks what kind of thing it holds: targets do their work themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import pytest

from tests.architecture.checkout import Module, made_up, product

_KINDS_OF_TARGETS = {"is_platform", "Machine", "Platform"}


def test_nobody_outside_targets_asks_for_the_kind_of_a_target() -> None:
    assert list(asks_for_a_target(product())) == []


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("studio/rollouts/work.py", "from studio.targets.target import Platform", 1),
        ("studio/rollouts/work.py", "from studio.targets.target import Machine, open_target", 1),
        ("studio/rollouts/work.py", "if target.is_platform(): pass", 1),
        ("studio/rollouts/work.py", "def is_platform(target): ...", 1),
        ("studio/rollouts/work.py", "from studio.targets.target import open_target", 0),
        ("studio/rollouts/work.py", "from studio.api import Platform", 0),
        ("studio/targets/target.py", "isinstance(target, Platform)", 0),
    ],
)
def test_a_question_for_the_kind_of_a_target_is_found(path: str, text: str, count: int) -> None:
    assert len(list(asks_for_a_target([made_up(path, text)]))) == count


def asks_for_a_target(modules: Sequence[Module]) -> Iterator[str]:
    """The places that ask, outside the folder whose classes answer."""
    for module in modules:
        if module.folder == "studio/targets":
            continue
        for node in module.all(ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if node.module == "studio.targets.target" and names & _KINDS_OF_TARGETS:
                yield f"{module.path}:{node.lineno}"
        asked = [node for node in module.all(ast.Attribute) if node.attr == "is_platform"]
        own = [node for node in module.functions if node.name == "is_platform"]
        yield from (f"{module.path}:{node.lineno}" for node in (*asked, *own))
