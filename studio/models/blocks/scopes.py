"""Scope of a node, as exporters write it into its name.

``/encoder/layer.3/attention/MatMul_2`` (PyTorch), ``encoder.layer.3.attention.MatMul`` (names of
modules) and ``model/block_1/conv/Conv2D`` (TensorFlow) hold the path of the module that made the
node; its last part is the node itself.
"""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_NAME = 1_000
_DEEPEST = 12

Scope = tuple[str, ...]


def scopes(names: Iterable[str]) -> list[Scope]:
    """Return the scope of each name; each common prefix is parsed once."""
    known: dict[str, Scope] = {}
    found: list[Scope] = []
    for name in names:
        around, slash, _own = name.rpartition("/")
        if not slash or name[-1] == "/" or len(name) > _LONGEST_NAME:
            found.append(scope(name))
            continue
        if around not in known:
            known[around] = scope(name)
        found.append(known[around])
    return found


def scope(name: str) -> Scope:
    """Return the modules around a node, the outermost first; none if its name has no scope.

    A part that is only a number belongs to the part before it (``layer.3``). Names beyond any
    exporter's length tell none.
    """
    if len(name) > _LONGEST_NAME:
        return ()
    parts = name.strip("/").split("/") if "/" in name else name.strip(".").split(".")
    parts = [part for part in parts if part]
    joined: list[str] = []
    for part in parts[:-1]:
        if part.isdecimal() and joined and not _is_numbered(joined[-1]):
            joined[-1] = f"{joined[-1]}.{part}"
        else:
            joined.append(part)
    return tuple(joined[:_DEEPEST])


def without_operator(found: Scope, operator: str) -> Scope:
    """Return a scope without the operator itself: of ``p2o.Conv.12`` only ``p2o`` is a module."""
    return found[:-1] if found[-1].casefold() == operator.casefold() else found


def _is_numbered(part: str) -> bool:
    return part.rpartition(".")[2].isdecimal()


def stem(part: str) -> str:
    """Return a part without its number: ``layer`` of ``layer.3``, ``block`` of ``block_3``."""
    return part.rstrip("0123456789").rstrip("._") or part
