"""Kinds do their work themselves: who still asks for the kind of a target or of a model."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

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


IMPORTS = {
    "studio/conversion/step.py": 1,
    "studio/deployment/language_memory.py": 1,
    "studio/evaluation/results.py": 1,
    "studio/models/kinds.py": 1,
    "studio/models/summary.py": 1,
    "studio/packages/build.py": 2,
    "studio/packages/record.py": 1,
    "studio/packages/work.py": 1,
    "studio/profiling/build.py": 1,
    "studio/profiling/results.py": 1,
    "studio/profiling/texts.py": 1,
    "studio/quantization/step.py": 3,
    "studio/quantization/texts.py": 2,
    "studio/workspace/profiles.py": 1,
}
"""Core modules that name code of language models. Take out what is gone, and add nothing."""

_OF_LANGUAGE = re.compile(r"studio\.\w+\.language(\.\w+)*(:\w+)?")


def test_the_core_names_code_of_language_models_at_fewer_places() -> None:
    assert imports_of_language(product()) == IMPORTS


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("studio/rollouts/work.py", "from studio.models.language.folder import companions", 1),
        ("studio/rollouts/work.py", "from studio.models import language", 1),
        ("studio/rollouts/work.py", 'WORK = "studio.models.language.folder:companions"', 1),
        ("studio/rollouts/work.py", "from studio.models.kinds import companions", 0),
        ("studio/models/language/work.py", "from studio.models.language.folder import opens", 0),
        ("studio/packages/language.py", "from studio.models.language.folder import opens", 0),
    ],
)
def test_a_name_of_language_code_is_found(path: str, text: str, count: int) -> None:
    assert imports_of_language([made_up(path, text)]) == ({path: count} if count else {})


def imports_of_language(modules: Sequence[Module]) -> dict[str, int]:
    """How often each module outside the folders of language models names what is in them."""
    counts = {
        module.path: sum(_OF_LANGUAGE.fullmatch(name) is not None for name in _names(module))
        for module in modules
        if "language" not in PurePosixPath(module.path).with_suffix("").parts
        and module.path.startswith("studio/")
    }
    return {path: count for path, count in counts.items() if count}


def _names(module: Module) -> Iterator[str]:
    for node in module.all(ast.ImportFrom):
        packages = (f"{node.module}.{alias.name}" for alias in node.names)
        yield next((name for name in packages if name.endswith(".language")), node.module or "")
    yield from module.texts
