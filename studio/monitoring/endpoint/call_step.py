"""The step that sends requests to an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.results import CallResult


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Options of the step.

    Attributes:
        known: Folders of the released bundles, from the registry.
        endpoint: Address of the last release, from the registry.
    """

    target: TargetSpec = option("local", kind=Kind.TARGET, help="Target name.")
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Samples",
        help="Samples to send in turn (default: random inputs).",
    )
    print: Literal["curl", "python", "javascript"] | None = option(
        None,
        choice_titles=("curl", "Python", "JavaScript"),
        title="Print a program",
        help="Print an example program in this language instead of sending requests.",
    )
    requests: int = option(100, minimum=1, maximum=1_000_000)
    connections: int = option(1, minimum=1, maximum=64, help="Number of parallel requests.")
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    endpoint: str = ""


CALL: Step[CallOptions, CallResult] = Step(
    name="call",
    title="Call",
    summary="Send test requests to an endpoint and measure latency.",
    options=CallOptions,
    result=CallResult,
    work="studio.monitoring.endpoint.call:call",
    texts="studio.monitoring.texts:call",
    prepare="studio.monitoring.released_bundles:prepare",
    needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
    ordered=True,
)
