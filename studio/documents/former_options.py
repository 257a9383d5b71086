"""Options of steps as registries and rollouts stored them until December 2026: by other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

_TRIAL = {"agreement": "shadow_cpu", "quality": "trial", "soak_rule": "trial_rule"}
_DEPLOY = {**_TRIAL, "open_to_all": "allow_unauthenticated"}
_PROFILE = {"limit": "p99_limit_ms", "looks": "interim_checks"}
_PACKAGE = {"reference": "drift_samples"}

FORMER: Mapping[str, Mapping[str, str]] = {
    "decisions-export": {"begin": "from", "end": "to"},
    "deb": _PACKAGE,
    "deploy": _DEPLOY,
    "image": _PACKAGE,
    "monitor": {"forget_samples": "delete_samples"},
    "monitor-silence": {"seen": "ack"},
    "package": _PACKAGE,
    "package-as": _PACKAGE,
    "profile": _PROFILE,
    "quantize": {"keep": "keep_float"},
    "registry-deploy": {**_DEPLOY, "unless": "skip_version"},
    "rollout": {
        **_TRIAL,
        "first": "first_wave",
        "quality_s": "trial_s",
        "size": "wave_size",
        "undo": "rollback_on_halt",
    },
    "sensitivity": {"judged": "metric_layers", "keep": "keep_float"},
    "study": _PROFILE,
    "target-find": {"way": "source"},
    "version-promote": {"because": "reason"},
    "version-rollback": {"because": "reason"},
}
"""Present names of options by their former ones, for each step that has such."""


def current(step: str, options: Mapping[str, T]) -> dict[str, T]:
    """Return stored options of a step under their present names."""
    names = FORMER.get(step, {})
    return {names.get(name, name): value for name, value in options.items()}
