"""The catalogue of steps: everything that can be done, by name."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from studio.api import UsageError
from studio.documents.toml_text import no_such
from studio.jobs import AnyStep, Step

_MODULES = {
    "studio.models.step": "open inspect graph diff coverage analyze values operator",
    "studio.models.surgery.step": "edit edits",
    "studio.conversion.step": "convert export",
    "studio.conversion.chips.step": "check",
    "studio.projects.step": "project-set project-draft",
    "studio.evaluation.sample_step": "sample",
    "studio.evaluation.outputs_step": "project-outputs",
    "studio.quantization.step": "quantize evaluate quantize-preview sensitivity",
    "studio.profiling.step": "profile",
    "studio.profiling.boards.step": "study",
    "studio.profiling.export": "profile-export",
    "studio.apps.step": "app-new app-check app-run app-test",
    "studio.packages.step": "sign package",
    "studio.deployment.artifacts.step": "deb image",
    "studio.deployment.artifacts.packager_step": "package-as",
    "studio.deployment.step": "target-find target-look target-probe deploy rollback releases trust "
    "verify-log undeploy promote logs resources start stop restart",
    "studio.deployment.pull.step": "target-pull",
    "studio.deployment.variables.step": "app-variables app-set-variables",
    "studio.deployment.decisions.step": "decisions-list decisions-export "
    "decisions-verify decisions-forget decisions-where",
    "studio.monitoring.step": "monitor",
    "studio.monitoring.live_step": "monitor-live",
    "studio.monitoring.prometheus.step": "monitor-export monitor-history monitor-fleet",
    "studio.monitoring.alerts.step": "monitor-test monitor-silence",
    "studio.monitoring.boards.step": "fleet-status fleet-watch",
    "studio.monitoring.boards.forget_step": "fleet-forget",
    "studio.monitoring.boards.join_step": "fleet-join fleet-leave",
    "studio.monitoring.endpoint.call_step": "call",
    "studio.monitoring.endpoint.override_step": "decisions-override",
    "studio.monitoring.stream.step": "stream",
    "studio.monitoring.chat.step": "chat chat-served",
    "studio.rollouts.step": "rollout",
    "studio.external_registries.step": "registry-push registry-pull registry-list registry-alias",
    "studio.external_registries.follow_step": "registry-deploy",
    "studio.versions.step": "version-alias version-promote version-rollback "
    "registry-gc project-export project-import",
    "studio.evidence.explanations.step": "explain",
    "studio.evidence.groups.step": "groups",
    "studio.evidence.step": "evidence evidence-verify",
    "studio.evidence.form.step": "evidence-answer evidence-request evidence-screen",
    "studio.evidence.notice.step": "evidence-notice",
    "studio.evidence.incidents.step": "incident-open incident-note "
    "incident-report incident-close incident-export",
    "studio.evidence.robustness.step": "robustness",
    "studio.samples.catalogue": "samples-get",
    "studio.steps.plugin_check": "plugins-check",
    "studio.steps.environments": "environment-install environment-remove",
}
"""The steps that each module declares, in the order of the pipeline."""


class _Catalogue(Mapping[str, AnyStep]):
    """Every step by its name; a step's module is imported when the step is read."""

    def __init__(self) -> None:
        self._modules = {
            name: module for module, names in _MODULES.items() for name in names.split()
        }

    def __getitem__(self, name: str) -> AnyStep:
        return _declared(self._modules[name])[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


@functools.cache
def _declared(module: str) -> Mapping[str, AnyStep]:
    values = vars(importlib.import_module(module)).values()
    return {value.name: value for value in values if isinstance(value, Step)}


@functools.cache
def steps() -> Mapping[str, AnyStep]:
    """Return every step by its name, in the order of the pipeline."""
    return _Catalogue()


def parent_imports(names: Iterable[str]) -> tuple[Callable[[], object], ...]:
    """Return the imports of what some steps do in the parent, which their first start would do."""
    return tuple(functools.partial(_import_parent, name) for name in names if name in steps())


def _import_parent(name: str) -> None:
    for word in (steps()[name].prepare, steps()[name].record):
        if word:
            importlib.import_module(word.partition(":")[0])


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
