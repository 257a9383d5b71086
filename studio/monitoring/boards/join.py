"""The work of the steps that let a board publish its state."""

from __future__ import annotations

from pathlib import Path

from studio.api import TargetSpec, UsageError
from studio.deployment.machine_verbs import machine_session
from studio.deployment.options import TargetOptions
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.monitoring.boards.join_step import JoinOptions, JoinResult
from studio.monitoring.boards.login import read_login
from studio.monitoring.boards.message import BOARD_NAME
from studio.monitoring.boards.work import labels_of, source_of

_SET_S = 420.0
_LARGEST = 64 * 1024
_COLLECTORS = ("http://", "https://")
"""Begin of the address of a collector, for which the board needs no plugin of the studio."""


@dataclass(frozen=True, slots=True)
class _FleetAnswer:
    """The answer of the release machine."""

    board: str = ""
    broker: str = ""
    changed: bool = False
    restarted: bool = False


def join(options: JoinOptions, job: Job) -> JoinResult:
    """Let a target publish its state.

    Raises:
        UsageError: for a name, a label or a file that cannot be used.
        TargetError: when the target refuses the settings.
    """
    name = options.board or options.target.name
    if not BOARD_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a name at a broker: letters, digits, - and _.",
            hint="Pass --board NAME.",
        )
    if not options.source.startswith(_COLLECTORS):
        source_of(options.source, _COLLECTORS)
    login = read_login(options.login)
    texts = {key: str(value) for key, value in to_json(login).items() if value}
    if login.ca:
        texts["ca"] = _content(Path(login.ca).expanduser())
    settings = {
        "url": options.source,
        "topic": options.topic,
        "board": name,
        "labels": labels_of(options.label),
        "every_s": options.every,
        **texts,
    }
    return _set(options.target, settings, job)


def leave(options: TargetOptions, job: Job) -> JoinResult:
    """Let a target publish its state no longer."""
    return _set(options.target, {}, job)


def _set(target: TargetSpec, settings: dict[str, object], job: Job) -> JoinResult:
    refusal = "is a platform, whose servers publish no state."
    hint = "Watch it with: studio monitor --target NAME"
    with machine_session(target, job, refusal, hint, ("fleet",)) as (_, agent):
        agent.install()
        done = agent.request(_FleetAnswer, "set-fleet", {"settings": settings}, timeout=_SET_S)
    return JoinResult(target.name, done.board, done.broker, done.changed, done.restarted)


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("ascii")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a certificate in PEM form.") from None


def lines(result: JoinResult) -> list[str]:
    """Return what was done."""
    if not result.board:
        found = f"{result.target} publishes no state."
    else:
        found = f"{result.target} publishes its state to {result.broker} as {result.board}."
    if not result.changed:
        return [f"{found} Nothing has changed."]
    when = "Its server was started again." if result.restarted else "It begins with its server."
    return [f"{found} {when}" if result.board or result.restarted else found]
