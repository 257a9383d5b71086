"""The document of a task, and its last word: what travels between this computer and a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from studio.documents.dataclass_json import JsonValue
from studio.jobs.step import Limits
from studio.lazy_dataclass import dataclass

INPUT = "task-input:"
"""Begins the name of an input in texts that travel; ``0/digits.onnx`` follows."""

FOLDER = "task-folder:"
"""Stands in texts that travel for the folder of the work."""

STALLED, TIMED_OUT, CRASHED = "stalled", "timed-out", "crashed"
"""Last events of a node that no worker sends itself."""

LAST = frozenset(
    {"result", "error", "memory", "cancelled", STALLED, TIMED_OUT, CRASHED},
)
"""Events after which no other comes."""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """A file or folder that a task reads.

    Attributes:
        place: Relative path on the node: a number for its folder here, then its name.
        digest: SHA-256 of the file, or of the archive of the folder.
        folder: Whether it travels as an archive.
    """

    place: str
    digest: str
    folder: bool = False


@dataclass(frozen=True, slots=True)
class TaskDocument:
    """What a node is to do.

    Attributes:
        step: Name of the step. The node takes the function from its own catalogue.
        arguments: The step's options in JSON form, with inputs by their places.
        tools: Versions of what computes here; the node's must be the same.
        preprocess: Place of the project's, as an input; empty without one.
    """

    step: str
    title: str
    arguments: Mapping[str, JsonValue]
    inputs: tuple[TaskInput, ...]
    tools: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    preprocess: str = ""


def replaced(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with every text in it changed, keys left out."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: replaced(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(item, change) for item in value]
    return value


def renamed(names: Mapping[str, str]) -> Callable[[str], str]:
    """Return a change of texts: each name to another, the longest first."""
    ordered = sorted(names.items(), key=lambda pair: -len(pair[0]))

    def change(text: str) -> str:
        for old, new in ordered:
            if old in text:
                text = text.replace(old, new)
        return text

    return change
