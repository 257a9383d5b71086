"""The steps that let a board publish its state to a broker, or stop that."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.deployment.options import TargetOptions
from studio.jobs import Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.boards.step import TOPIC

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, kw_only=True)
class JoinOptions(TargetOptions):
    """Options of the step ``fleet-join``; the login is in a file, so that none is recorded."""

    source: str = option(
        title="Broker or collector",
        help="Address as the board sees it: nats://, tls://, mqtt:// or mqtts:// of a broker, or "
        "http:// or https:// of a collector of OpenTelemetry.",
    )
    topic: str = option(TOPIC, help="Topic before the board's name.", advanced=True)
    login: Path | None = option(
        None,
        kind=Kind.FILE,
        help="JSON file with the board's user, password, token and ca, for its owner only. "
        "The files certificate and key are on the board.",
    )
    board: str | None = option(
        None, help="Name of the board at the broker (default: the target's name)."
    )
    label: tuple[str, ...] = option(
        (), title="Labels", help="Label of the board, as NAME=VALUE (may be repeated)."
    )
    every: float = option(
        60.0, unit="s", minimum=1, maximum=86_400, help="Interval between two heartbeats."
    )


@dataclass(frozen=True, slots=True)
class JoinResult:
    """The publication of a board's state.

    Attributes:
        board: Its name at the broker; empty where nothing is published.
        broker: Host and port.
        changed: Whether this command changed it.
        restarted: Whether the server was started again with it.
    """

    target: str
    board: str
    broker: str
    changed: bool
    restarted: bool


FLEET_JOIN: Step[JoinOptions, JoinResult] = Step(
    name="fleet-join",
    title="Publish the state",
    summary="Let a target publish its state to a broker or a collector; its server restarts.",
    options=JoinOptions,
    result=JoinResult,
    work="studio.monitoring.boards.join:join",
    texts="studio.monitoring.boards.join:lines",
    needs=_NEEDS,
    limits=Limits(seconds=600),
)

FLEET_LEAVE: Step[TargetOptions, JoinResult] = Step(
    name="fleet-leave",
    title="Publish no state",
    summary="Let a target publish its state no longer; its server is started again.",
    options=TargetOptions,
    result=JoinResult,
    work="studio.monitoring.boards.join:leave",
    texts="studio.monitoring.boards.join:lines",
    needs=_NEEDS,
    limits=Limits(seconds=600),
    guarded=False,
)
