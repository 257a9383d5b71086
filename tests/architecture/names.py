"""Names that the rules of the house do not take: classes, and modules."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.architecture.checkout import Module

_EMPTY = (
    "Asked Data Entry Found Held Helper Info Kept Look Manager Place Thing Told Util Wanted Way"
)
_OF_OLD = "Child Ledger Novelty Rollout Standing Subject Wish"
BANNED = frozenset([*_EMPTY.split(), *_OF_OLD.split()])
# The one stage for which the word is the field's own.
_AT_HOME = {"Rollout": "studio/rollouts/"}
MOST_MODULES = 2
_PARTICIPLE = re.compile(r"_?[a-z]+(ing|ed)")


@dataclass(frozen=True, order=True)
class Offence:
    """A name that needs an entry in the list of those that are allowed.

    Attributes:
        rule: ``banned``, ``common`` or ``participle``.
        where: The file; for a name that is common, in how many modules it stands.
        files: Where that is.
    """

    rule: str
    name: str
    where: str
    files: tuple[str, ...] = field(default=(), compare=False)


def offences(modules: Iterable[Module]) -> list[Offence]:
    """All names that break a rule, sorted."""
    modules = tuple(modules)
    return sorted([*banned_classes(modules), *common_classes(modules), *participles(modules)])


def banned_classes(modules: Iterable[Module]) -> list[Offence]:
    """Classes with a name that says nothing of what they are."""
    return [
        Offence("banned", node.name, module.path)
        for module in modules
        for node in module.all(ast.ClassDef)
        if node.name in BANNED and not module.path.startswith(_AT_HOME.get(node.name, "\0"))
    ]


def common_classes(modules: Iterable[Module]) -> list[Offence]:
    """Names of classes that stand in more than two modules: a reader cannot know which is meant."""
    where: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        for node in module.all(ast.ClassDef):
            where[node.name].add(module.path)
    return [
        Offence("common", name, f"{len(paths)} modules", tuple(sorted(paths)))
        for name, paths in where.items()
        if len(paths) > MOST_MODULES
    ]


def participles(modules: Iterable[Module]) -> list[Offence]:
    """Modules and packages whose whole name is one word that ends in -ing or -ed."""
    return [
        Offence("participle", last, module.folder if module.is_package else module.path)
        for module in modules
        if _PARTICIPLE.fullmatch(last := module.name.rpartition(".")[2])
    ]
