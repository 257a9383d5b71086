"""The record of a step that has succeeded: its options and the files they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Kind
from studio.documents.dataclass_json import JsonValue
from studio.jobs import AnyStep
from studio.lazy_dataclass import dataclass
from studio.registry import ActionRecord, Registry
from studio.registry.activity import now
from studio.settings.redaction import REDACTED, Redactor
from studio.steps.inputs import path_digest
from studio.steps.resolve import Resolved

_FILES = (Kind.FILE, Kind.FOLDER, Kind.DATA, Kind.OUTPUT)
_LONGEST_TEXT = 500
_KEYS = ("sign", "key", "openssf")
"""Options that name a private key, of which nothing is written down."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """The record of a step, to be stored when the step has succeeded.

    Attributes:
        given: The options as they were given.
    """

    step: AnyStep
    given: Mapping[str, Any]
    resolved: Resolved
    source: str

    @property
    def is_recorded(self) -> bool:
        """Whether the history records this kind of step."""
        return self.step.in_history

    def write(self, registry: Registry, result: Mapping[str, Any]) -> int:
        """Store the record; return the action's number, 0 for a step without history."""
        if not self.is_recorded:
            return 0
        brief = {key: _redacted(value) for key, value in result.items() if _is_brief(value)}
        document = {**brief, "inputs": self._inputs()}
        ledger = registry.ledger
        return ledger.add_action(self.step.name, self.options, document, self.source)

    def action(self, number: int) -> ActionRecord:
        """Return the action as the history would store it."""
        return ActionRecord(number, self.step.name, self.options, {}, self.source, now())

    @property
    def options(self) -> dict[str, JsonValue]:
        """The options as given, with absolute paths, as a pipeline file may be elsewhere."""
        kinds = {option.name: option.kind for option in self.step.form}
        arguments = self.resolved.arguments
        given = {
            name: arguments[name] if kinds.get(name) in _FILES else value
            for name, value in self.given.items()
            if value not in (None, [], "")
        }
        return without_secrets(self.step, given)

    def _inputs(self) -> dict[str, Any]:
        """Return the digests of the files that were read, without those of secrets."""
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


def without_secrets(step: AnyStep, options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return options of a step without passwords, as they are recorded and shown."""
    secret = {option.name for option in step.form if option.secret}
    return {name: _redacted(value, name in secret) for name, value in options.items()}


def _redacted(value: JsonValue, secret: bool = False) -> JsonValue:
    """Return a value without passwords; of a secret ``NAME=VALUE`` the name alone."""
    if isinstance(value, list | tuple):
        return [_redacted(each, secret) for each in value]
    if not isinstance(value, str):
        return value
    return f"{value.partition('=')[0]}={REDACTED}" if secret else Redactor().text(value)


def _is_brief(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    return isinstance(value, bool | int | float)
