"""The steps on the state of many boards: a look, and a watch."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.jobs import Effect, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.boards.results import BoardsResult

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})
TOPIC = "edgewright/state"


@dataclass(frozen=True, kw_only=True)
class BrokerOptions:
    """Options that name a broker, and how to log in there."""

    source: str = option(
        title="Broker",
        help="Address of the broker: nats://, tls:// (NATS with TLS), mqtt:// or mqtts://.",
    )
    topic: str = option(
        TOPIC, help="Topic before the board's name; NATS writes it with dots.", advanced=True
    )
    login: Path | None = option(
        None,
        kind=Kind.FILE,
        help="JSON file with user, password, token, ca, certificate and key, for its owner only.",
    )


@dataclass(frozen=True, kw_only=True)
class BoardsOptions(BrokerOptions):
    """Options of a look at the boards of a broker."""

    create: bool = option(
        False, help="Create the stream of a NATS server where it is missing.", advanced=True
    )
    label: tuple[str, ...] = option(
        (), title="Labels", help="Only boards with this label, as NAME=VALUE (may be repeated)."
    )
    release: str | None = option(
        None, help="Only boards that serve the release whose digest begins so."
    )
    model: str | None = option(None, help="Only boards whose model begins so.")
    state: tuple[str, ...] = option(
        (), title="States", help="Only boards that are good, alerting, not-ready or silent."
    )
    alert: str | None = option(None, help="Only boards with this alert, such as drift.")
    name: str | None = option(None, title="Name", help="Only boards with this text in their names.")
    group: str = option("release", help="Group by release, model, state or the name of a label.")
    boards: int = option(
        20, title="Boards shown", minimum=0, maximum=50_000, help="Number of boards listed."
    )
    seconds: float = option(
        10.0, unit="s", minimum=0.5, maximum=3600, help="Longest wait for what the broker stored."
    )


@dataclass(frozen=True, kw_only=True)
class WatchBoardsOptions(BoardsOptions):
    """Options of a watch of the boards of a broker."""

    seconds: float = option(
        0.0, title="Watch for", unit="s", minimum=0, help="Duration; 0 watches until stopped."
    )
    interval: float = option(5.0, title="Every", unit="s", minimum=0.5, maximum=3600)
    changes: bool = option(
        False, help="Send each changed board as a message, for the window.", advanced=True
    )


FLEET_STATUS: Step[BoardsOptions, BoardsResult] = Step(
    name="fleet-status",
    title="State of the boards",
    summary="Show the state of the boards at a broker, by groups.",
    options=BoardsOptions,
    result=BoardsResult,
    work="studio.monitoring.boards.work:status",
    texts="studio.monitoring.boards.texts:lines",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)

FLEET_WATCH: Step[WatchBoardsOptions, BoardsResult] = Step(
    name="fleet-watch",
    title="Watch the boards",
    summary="Merge the state of the boards at a broker continuously.",
    options=WatchBoardsOptions,
    result=BoardsResult,
    work="studio.monitoring.boards.work:watch",
    texts="studio.monitoring.boards.texts:lines",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
    until_stopped=True,
)
