"""What a watcher of an alias remembers between its looks: one release for each move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.jobs import JobOutcome

SEEN = "registry-version"
"""The message with which the work says what the alias stands for, before it acts on it."""

WAITING = "waiting"


class Watch:
    """Looks at one alias.

    Attributes:
        acted_on: The version that was acted on last, whether that went well or not; it is not
            tried again until the alias has moved away from it.
        moves: The results of the moves so far.
    """

    def __init__(self) -> None:
        self.acted_on = ""
        self.moves: list[Mapping[str, Any]] = []
        self._seen = ""
        self._told = ""

    def hear(self, name: str, values: Mapping[str, Any]) -> None:
        """A message of the work."""
        if name == SEEN:
            self._seen = str(values["version"])

    def judge(self, outcome: JobOutcome) -> str:
        """Take in the outcome of a look; a line for people, empty when there is nothing new."""
        seen, self._seen = self._seen, ""
        if outcome.ok and outcome.result["action"] == WAITING:
            self._told = ""
            return ""
        if seen:
            self.acted_on = seen
        if outcome.ok:
            self.moves.append(outcome.result)
            return sentence(outcome.result)
        line = " ".join(filter(None, (outcome.sentence, outcome.hint)))
        if seen:
            line += f" Version {seen} is not tried again before the alias moves."
        told, self._told = self._told, line
        return "" if line == told else line


def sentence(result: Mapping[str, Any]) -> str:
    """What became of one look."""
    what = f"version {result['version']} of {result['name']}"
    where = result["target"]
    if result["action"] == "unchanged":
        return f"{where} serves {what} already."
    if result["action"] == "rollback":
        return f"{where} was rolled back to {what} after {result['seconds']:.1f} s."
    return f"{where} serves {what} after {result['seconds']:.1f} s."
