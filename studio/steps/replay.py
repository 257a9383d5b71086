"""Pipelines that repeat recorded actions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.api import Kind, Option, UsageError
from studio.documents.toml_text import key_text, literal
from studio.registry import ActionRecord, Registry, VariantRecord
from studio.steps.catalogue import step as step_named
from studio.steps.catalogue import steps

_FILES = (Kind.FILE, Kind.FOLDER, Kind.DATA)
_LOCAL = "local"


@dataclass(slots=True)
class _ReplayStep:
    """A step of the pipeline that is being written."""

    id: str
    step: str
    options: dict[str, Any] = field(default_factory=dict)


class ReplayBuilder:
    """The steps that lead to an action, each once, the first ones first.

    A model that an option names becomes the step that made it, a bundle its packaging. What
    was made before this history began is named by its path.

    Args:
        folder: Where the pipeline will be; files below it are named from there.
    """

    def __init__(self, registry: Registry, folder: Path | None = None) -> None:
        self._registry = registry
        self._folder = folder
        self._told: list[_ReplayStep] = []
        self._ids: dict[tuple[str, str], str] = {}
        self._targets: list[str] = []

    def text(self, action: ActionRecord) -> str:
        """Return the pipeline that repeats an action.

        Raises:
            UsageError: when its step is not known any more.
        """
        self._add(action.step, action.options, f"action {action.id}")
        title = step_named(action.step).title
        opened = next((t.options.get("model") for t in self._told if t.step == "open"), "")
        # Nothing was opened where a step is about a target or a plugin.
        subject = Path(str(opened)).stem or (self._targets[0] if self._targets else "")
        name = f"{subject}-{action.step}" if subject else action.step
        lines = [
            f"# Repeats what was done on {action.created[:16].replace('T', ' ')} UTC.",
            "#",
            "#     studio run pipeline.toml",
            "",
            "[pipeline]",
            f"name = {literal(name)}",
            f"title = {literal(f'{title} {subject}'.strip())}",
        ]
        if self._targets:
            lines += ["", "[vars]", f"target = {literal(self._targets[0])}"]
        for told in self._told:
            lines += ["", "[[steps]]", f"id = {literal(told.id)}", f"step = {literal(told.step)}"]
            lines += [f"{key_text(k)} = {literal(v)}" for k, v in told.options.items()]
        return "\n".join([*lines, *self._gates()]) + "\n"

    def _add(self, step: str, options: Mapping[str, Any], key: str) -> str:
        """Add a step after those that it needs, and return its id."""
        if (step, key) in self._ids:
            return self._ids[step, key]
        if step not in steps():
            raise UsageError(f"Unknown step: {step!r}.")
        known = {option.name: option for option in step_named(step).form}
        told = {
            name: self._value(known[name], value)
            for name, value in options.items()
            if name in known and value != known[name].default
        }
        number = 1 + sum(one.step == step for one in self._told)
        identifier = step if number == 1 else f"{step}-{number}"
        self._ids[step, key] = identifier
        self._told.append(_ReplayStep(identifier, step, told))
        return identifier

    def _value(self, option: Option, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._one(option, item) for item in value]
        return self._one(option, value)

    def _one(self, option: Option, value: Any) -> Any:
        if option.kind is Kind.MODEL:
            return self._model(value)
        if option.kind is Kind.TARGET and value != _LOCAL:
            if value not in self._targets:
                self._targets.append(str(value))
            return "${vars.target}" if value == self._targets[0] else value
        if option.kind is Kind.FOLDER and self._is_bundle(str(value)):
            return self._bundle(str(value))
        if option.kind in _FILES or option.kind is Kind.OUTPUT:
            return self._path(str(value))
        return value

    def _model(self, value: Any) -> str:
        text = f"#{value}" if isinstance(value, int) else str(value)
        try:
            variant = self._registry.find(text)
        except UsageError:
            return self._path(text)
        return self._variant(variant)

    def _variant(self, variant: VariantRecord) -> str:
        """Return the reference to a variant, after the step that made it was added."""
        noted = self._registry.ledger.producer(variant)
        if noted is not None and noted.step in steps():
            options: Mapping[str, Any] = noted.options
        elif variant.step == "open" and variant.options.get("model"):
            options = {"model": variant.options["model"]}
        else:
            return f"{variant.model_name}:{variant.name}"
        identifier = self._add(variant.step, options, f"variant {variant.id}")
        return f"${{{identifier}.variant}}"

    def _is_bundle(self, folder: str) -> bool:
        return any(str(version.path) == folder for version in self._registry.versions())

    def _bundle(self, folder: str) -> str:
        noted = self._registry.ledger.packager(folder)
        if noted is not None:
            identifier = self._add(noted.step, noted.options, f"bundle {folder}")
            return f"${{{identifier}.bundle}}"
        return folder

    def _path(self, text: str) -> str:
        if self._folder is None or not os.path.isabs(text):
            return text
        path = Path(text)
        return str(path.relative_to(self._folder)) if path.is_relative_to(self._folder) else text

    def _gates(self) -> list[str]:
        """Gates on what the steps measure, for the reader to set and to switch on."""
        lines: list[str] = []
        for told in self._told:
            for kind, name, limit in _OFFERED.get(told.step, ()):
                lines += ["", "# [[gates]]", f"# name = {literal(f'{told.id} {name}')}"]
                lines += [f"# kind = {literal(kind)}", f"# of = {literal(told.id)}", f"# {limit}"]
        head = "# Without the signs in front, these must hold; otherwise nothing is deployed."
        return ["", head, *lines] if lines else []


_OFFERED = {
    "quantize": (
        ("metric-drop", "loses at most one point", "max = 0.01"),
        ("size-ratio", "is less than half the size", "max = 0.5"),
    ),
    "profile": (("latency-ratio", "upper bound of the ratio: surely not slower", "max = 1.0"),),
}


def pipeline_of(registry: Registry, action: ActionRecord | None, folder: Path | None = None) -> str:
    """Return the pipeline that repeats an action.

    Raises:
        UsageError: when it is not remembered (None), or its step is not known any more.
    """
    if action is None:
        raise UsageError("This action is no longer stored.")
    return ReplayBuilder(registry, folder).text(action)
