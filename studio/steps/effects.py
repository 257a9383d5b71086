"""What each step does to the world, which says whether it may be left out or must be guarded."""

from __future__ import annotations

import enum


class Effect(enum.Enum):
    """What running a step again would mean."""

    PURE = "pure"  # the same inputs give the same result
    MEASURES = "measures"  # the figures are of one machine
    LOOKS = "looks"  # at something that changes: a target, a registry
    ACTS = "acts"  # changes what runs somewhere, or what others see


_PURE = ("open", "inspect", "graph", "diff", "values", "operator", "edits", "edit", "quantize")
_PURE_TOO = ("quantize-preview", "sensitivity", "evaluate", "package", "samples-get")
_WRITES = ("profile-export",)
_MEASURES = ("profile",)
_LOOKS = ("coverage", "target-probe", "releases", "logs", "resources", "monitor", "call", "stream")
_LOOKS_TOO = ("registry-list", "registry-pull", "plugins-check", "target-find", "target-look")
_WATCHES = ("verify-log", "monitor-history", "monitor-fleet", "monitor-export")

_EFFECTS = {
    **dict.fromkeys((*_PURE, *_PURE_TOO, *_WRITES), Effect.PURE),
    **dict.fromkeys(_MEASURES, Effect.MEASURES),
    **dict.fromkeys((*_LOOKS, *_LOOKS_TOO, *_WATCHES), Effect.LOOKS),
}

_TELLS = ("inspect", "graph", "diff", "values", "operator", "edits", "quantize-preview")
_TELLS_TOO = ("releases", "logs", "resources", "target-probe", "target-find", "target-look")
_TELLS_LAST = ("registry-list", "coverage", "plugins-check", *_WATCHES)
QUIET = frozenset((*_TELLS, *_TELLS_TOO, *_TELLS_LAST, *_WRITES))
"""Steps that only tell something: the history of what was done leaves them out."""

UNGUARDED = frozenset({"rollback", "stop", "undeploy"})
"""They act, and take away; a gate that is not met must not hold them back."""


def effect(step: str) -> Effect:
    """The effect of a step; one that is not known here acts, which is the careful guess."""
    return _EFFECTS.get(step, Effect.ACTS)


def is_kept(step: str) -> bool:
    """Whether the result of a step may be taken instead of running it again."""
    return effect(step) in (Effect.PURE, Effect.MEASURES)


def is_guarded(step: str) -> bool:
    """Whether a step waits for the gates."""
    return effect(step) is Effect.ACTS and step not in UNGUARDED


def touches_targets(step: str) -> bool:
    """Whether the order among such steps is that of the pipeline, whatever refers to what."""
    return effect(step) is Effect.ACTS or step in ("call", "stream", "monitor")
