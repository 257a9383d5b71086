"""What a node must have for a task."""

from __future__ import annotations

from collections.abc import Mapping

from studio.features.spread.document import TaskDocument
from studio.jobs import AnyStep
from studio.steps.portable import spreads


def why_not_there(document: TaskDocument, step: AnyStep, here: Mapping[str, str]) -> str:
    """Return why a node may not do a task; empty when it may.

    Args:
        here: Versions of what computes on the node.
    """
    if not spreads(step):
        return f"A node does not do the step {document.step}."
    wanted = document.tools
    for name in ("edgewright", "python", *wanted):
        there, own = wanted.get(name, ""), here.get(name, "")
        if name == "python":
            there, own = (".".join(text.split(".")[:2]) for text in (there, own))
        if there != own:
            return _differs("Edgewright" if name == "edgewright" else name, own, there)
    return ""


def _differs(name: str, own: str, wanted: str) -> str:
    has = f"has {name} {own}" if own else f"has no {name}"
    return f"The node {has}, but this computer {wanted}: install the same version there."
