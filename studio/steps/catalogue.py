"""The catalogue of steps: everything that can be done, by name."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from studio.api import UsageError
from studio.documents.toml_text import no_such
from studio.jobs import AnyStep, Step

_MODULES = (
    "studio.models.step",
    "studio.models.surgery.step",
    "studio.conversion.step",
    "studio.conversion.chips.step",
    "studio.projects.step",
    "studio.evaluation.sample_step",
    "studio.evaluation.outputs_step",
    "studio.quantization.step",
    "studio.profiling.step",
    "studio.profiling.boards.step",
    "studio.profiling.export",
    "studio.apps.step",
    "studio.packages.step",
    "studio.deployment.artifacts.step",
    "studio.deployment.artifacts.packager_step",
    "studio.deployment.step",
    "studio.deployment.pull.step",
    "studio.deployment.variables.step",
    "studio.deployment.decisions.step",
    "studio.monitoring.step",
    "studio.monitoring.live_step",
    "studio.monitoring.prometheus.step",
    "studio.monitoring.alerts.step",
    "studio.monitoring.boards.step",
    "studio.monitoring.boards.forget_step",
    "studio.monitoring.boards.join_step",
    "studio.monitoring.endpoint.call_step",
    "studio.monitoring.endpoint.override_step",
    "studio.monitoring.stream.step",
    "studio.monitoring.chat.step",
    "studio.rollouts.step",
    "studio.external_registries.step",
    "studio.external_registries.follow_step",
    "studio.versions.step",
    "studio.evidence.step",
    "studio.evidence.form.step",
    "studio.evidence.notice.step",
    "studio.evidence.incidents.step",
    "studio.evidence.groups.step",
    "studio.evidence.robustness.step",
    "studio.evidence.explanations.step",
    "studio.samples.catalogue",
    "studio.steps.plugin_check",
    "studio.steps.environments",
)


@functools.cache
def steps() -> Mapping[str, AnyStep]:
    """Return every step by its name, in the order of the pipeline."""
    found: dict[str, AnyStep] = {}
    for name in _MODULES:
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Step):
                found.setdefault(value.name, value)
    return MappingProxyType(found)


def parent_imports() -> tuple[Callable[[], object], ...]:
    """Return the imports of what steps do in the parent, which the first start of each would do."""
    names = (name for one in steps().values() for name in (one.prepare, one.record) if name)
    modules = dict.fromkeys(name.partition(":")[0] for name in names)
    return tuple(functools.partial(importlib.import_module, module) for module in modules)


def step(name: str) -> AnyStep:
    """Return a step by its name.

    Raises:
        UsageError: when no step has this name.
    """
    try:
        return steps()[name]
    except KeyError:
        reason, hint = no_such(name, steps(), "step")
        raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=hint) from None
