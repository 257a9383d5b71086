"""The note of a step that has succeeded: what was asked for, and of which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import Kind
from studio.jobs import AnyStep
from studio.registry import ActionRecord, Registry
from studio.registry.activity import now
from studio.steps.inputs import path_digest
from studio.steps.resolve import Resolved

_FILES = (Kind.FILE, Kind.FOLDER, Kind.DATA, Kind.OUTPUT)
_LONGEST_TEXT = 500
_KEYS = ("sign", "key", "openssf")
"""Options that name a private key, of which nothing is written down."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What is to be noted of a step when it has succeeded.

    Attributes:
        given: The options as they were given.
    """

    step: AnyStep
    given: Mapping[str, Any]
    resolved: Resolved
    source: str

    @property
    def is_recorded(self) -> bool:
        """Whether the history has such steps."""
        return self.step.in_history

    def write(self, registry: Registry, result: Mapping[str, Any]) -> int:
        """Note it; the number of the action, 0 for one that is not noted."""
        if not self.is_recorded:
            return 0
        brief = {key: value for key, value in result.items() if _is_brief(value)}
        document = {**brief, "inputs": self._inputs()}
        ledger = registry.ledger
        return ledger.add_action(self.step.name, self._options(), document, self.source)

    def action(self, number: int) -> ActionRecord:
        """What was asked for, as the history would have it."""
        return ActionRecord(number, self.step.name, self._options(), {}, self.source, now())

    def _options(self) -> dict[str, Any]:
        """The options, with files by their whole path: a pipeline may be elsewhere."""
        kinds = {option.name: option.kind for option in self.step.form}
        arguments = self.resolved.arguments
        return {
            name: arguments[name] if kinds.get(name) in _FILES else value
            for name, value in self.given.items()
            if value not in (None, [], "")
        }

    def _inputs(self) -> dict[str, Any]:
        """The digests of the files that were read; of secrets, which steps that act take, none."""
        if not self.step.is_cached:
            return {}
        found: dict[str, Any] = {}
        for option in self.step.form:
            value = self.resolved.arguments.get(option.name)
            if option.name in _KEYS:
                continue
            if option.kind in (Kind.FILE, Kind.DATA, Kind.FOLDER) and isinstance(value, str):
                try:
                    found[option.name] = path_digest(Path(value))
                except (OSError, ValueError):
                    continue
        return found


def _is_brief(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    return isinstance(value, bool | int | float)
