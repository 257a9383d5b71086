"""The step of a live watch: everything that the window shows of one endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.results import TargetSample

MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Options of the step.

    Attributes:
        known: Folders of the released bundles, from the registry.
        endpoint: Address of the last release, from the registry.
    """

    target: TargetSpec = option("local", kind=Kind.TARGET, help="Target name.")
    interval: float = option(
        1.0,
        title="Every",
        unit="s",
        minimum=0.1,
        maximum=3600,
        help="Polling interval.",
    )
    alerts: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Alert rules",
        help="TOML with [[rules]] and [[channels]]; see docs/monitoring.md.",
    )
    lines: int = option(
        MOST_LINES,
        title="Log lines",
        minimum=0,
        maximum=10_000,
        help="Last lines of the server log to report; 0 reports none.",
    )
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    endpoint: str = ""


LIVE: Step[LiveOptions, TargetSample] = Step(
    name="monitor-live",
    title="Watch an endpoint",
    summary="Report health, history, log, releases and example calls of an endpoint until stopped.",
    options=LiveOptions,
    result=TargetSample,
    work="studio.monitoring.live_work:watch",
    prepare="studio.monitoring.released_bundles:prepare_live",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    effect=Effect.LOOKS,
    in_history=False,
    ordered=True,
    until_stopped=True,
)
