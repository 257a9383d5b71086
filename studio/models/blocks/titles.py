"""What is written on a block that no name tells of: the operators that say most about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from studio.models.families import family

_TELLING = ("convolution", "product", "activation", "normalization", "pooling", "control")
_LONGEST = 26


def title(operators: Iterable[str]) -> str:
    """At most two operators, the one that does the work first: ``Conv + Relu``."""
    counts = Counter(operators)
    places = {name: at for at, name in enumerate(counts)}
    ranked = sorted(counts, key=lambda name: (_rank(name), -counts[name], places[name]))
    if not ranked:
        return "Block"
    first = ranked[0]
    others = (name for name in ranked[1:] if _rank(name) < len(_TELLING))
    second = next((name for name in others if family(name) != family(first)), "")
    both = f"{first} + {second}"
    return both if second and len(both) <= _LONGEST else first


def _rank(name: str) -> int:
    known = family(name)
    return _TELLING.index(known) if known in _TELLING else len(_TELLING)
