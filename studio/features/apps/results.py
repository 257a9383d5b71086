"""Results of the steps on apps."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import JsonValue, optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class AppPart:
    """One part of the graph.

    Attributes:
        group: ``source``, ``step`` or ``sink``.
        summary: What its type does.
        gives: Kind of its values; empty for events alone.
        settings: As they are written.
        kinds: What each input carries, in their order.
    """

    name: str
    group: str
    type: str
    summary: str
    gives: str
    inputs: tuple[str, ...]
    settings: Mapping[str, JsonValue]
    kinds: tuple[str, ...] = optional(())


@dataclass(frozen=True, slots=True)
class AppModel:
    """One model of an app.

    Attributes:
        task: By its ``outputs.toml``; empty without one.
    """

    name: str
    file: str
    task: str
    takes_pictures: bool


@dataclass(frozen=True, slots=True)
class AppCheck:
    """An app that can run.

    Attributes:
        order: Names of the steps in the order in which they run.
        requirements: Distributions that a target needs.
        own_steps: Files with Python code of the app.
        warnings: What works, but may not be meant.
        digest: Fingerprint of the ``app.toml`` that was checked.
        code_digest: SHA-256 of the Python files of the app; empty without own code.
        networked: Sources that need the network.
    """

    name: str
    title: str
    folder: str
    parts: tuple[AppPart, ...]
    order: tuple[str, ...]
    models: tuple[AppModel, ...]
    variables: Mapping[str, str]
    requirements: Mapping[str, str]
    own_steps: tuple[str, ...]
    warnings: tuple[str, ...]
    digest: str = optional("")
    code_digest: str = optional("")
    networked: tuple[str, ...] = optional(())


@dataclass(frozen=True, slots=True)
class AppRun:
    """A run of an app on this computer.

    Attributes:
        sources: State of each source by its name.
        steps: Time of each step in milliseconds by its name.
        events: The events, the oldest first; at most the newest ten thousand.
        count: Number of all events.
        latency_ms: From the arrival of a frame to its events.
        busy_s: Processor time of the whole run.
        sinks: State of each sink by its name; None where nothing is delivered.
        expected, matched: Number of known events, and those that were found; None without a test.
        f1: Of the events; None without a test.
        missing, extra: Known events that were not found, and found ones that are not known.
        passed: Whether the test was passed; None without one.
    """

    name: str
    sources: Mapping[str, Mapping[str, JsonValue]]
    steps: Mapping[str, Mapping[str, JsonValue]]
    frames: int
    failed: int
    seconds: float
    fps: float
    busy_s: float
    latency_ms: Mapping[str, JsonValue]
    events: tuple[Mapping[str, JsonValue], ...]
    count: int
    counts: Mapping[str, int]
    fault: str = ""
    sinks: Mapping[str, Mapping[str, JsonValue]] | None = optional()
    output: str = optional("")
    written: tuple[str, ...] | None = optional()
    expected: int | None = optional()
    matched: int | None = optional()
    f1: float | None = optional()
    missing: tuple[Mapping[str, JsonValue], ...] | None = optional()
    extra: tuple[Mapping[str, JsonValue], ...] | None = optional()
    passed: bool | None = optional()


@dataclass(frozen=True, slots=True)
class AppCreated:
    """A new app in a folder."""

    name: str
    folder: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppProgress:
    """State of a running app, as its step reports it.

    Attributes:
        events: The events since the last report.
        picture: A small JPEG of the newest frame with its objects, in base64; empty without one.
            Lines and areas are not drawn into it.
        width, height: Of the frame in pixels.
    """

    frames: int
    fps: float
    events: tuple[Mapping[str, JsonValue], ...]
    sources: Mapping[str, Mapping[str, JsonValue]]
    steps: Mapping[str, Mapping[str, JsonValue]]
    latency_ms: Mapping[str, JsonValue]
    counts: Mapping[str, int]
    source: str = optional("")
    picture: str = optional("")
    width: int = optional(0)
    height: int = optional(0)
