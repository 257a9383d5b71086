"""Placement of a loaded model: the providers that were wanted, and those that compute it."""

from __future__ import annotations

from typing import Dict, Iterable, Mapping, NamedTuple, Tuple

from .providers import BY_ID, CPU


class ModelPlacement(NamedTuple):
    """The providers that were wanted for a model, and those that compute it.

    Attributes:
        wanted: Ids in their order; empty for the processor alone.
        used: Ids of those that took nodes, or that the session has where nodes are unknown.
        nodes: Nodes by the id of their provider; empty where ONNX Runtime does not know.
        missing: Reasons by the ids of those that do not work here.
        named: They were named, and not chosen by what is installed.
    """

    wanted: Tuple[str, ...] = ()
    used: Tuple[str, ...] = (CPU,)
    nodes: Mapping[str, int] = {}
    missing: Mapping[str, str] = {}
    named: bool = False

    @property
    def is_accelerated(self) -> bool:
        """Whether something else than the processor computes."""
        return any(one != CPU for one in self.used)

    @property
    def fallback(self) -> str:
        """Reasons for which another provider computes than the wanted one; empty where it does.

        Of providers that were chosen by what is installed, any one will do.
        """
        if not self.wanted or (self.is_accelerated and not (self.named and self.missing)):
            return ""
        reasons = ["{}: {}".format(_titles([one]), why) for one, why in self.missing.items()]
        if not reasons:
            reasons = ["{} took no node of the model".format(_titles(self.wanted))]
        return "{}. Computed by {} instead.".format("; ".join(reasons), _titles(self.used))

    def status(self) -> Dict[str, object]:
        """Return the JSON form."""
        return {
            "wanted": list(self.wanted),
            "used": list(self.used),
            "nodes": dict(self.nodes),
            "missing": dict(self.missing),
            "fallback": self.fallback,
        }


def _titles(ids: Iterable[str]) -> str:
    return ", ".join(BY_ID[one].title if one in BY_ID else one for one in ids)
