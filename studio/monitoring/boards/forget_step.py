"""The step that removes boards which are gone."""

from __future__ import annotations

from studio.api import Permission
from studio.jobs import Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.boards.step import BrokerOptions

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, kw_only=True)
class ForgetOptions(BrokerOptions):
    """Options of the step ``fleet-forget``."""

    board: tuple[str, ...] = option(
        (), title="Boards", help="Name of a board to remove (may be repeated)."
    )
    silent_days: float | None = option(
        None,
        title="Silent for",
        unit="d",
        minimum=0.01,
        help="Remove all boards that were silent for this number of days.",
    )
    dry_run: bool = option(False, help="Show the boards, and remove nothing.")
    seconds: float = option(
        10.0, unit="s", minimum=0.5, maximum=3600, help="Longest wait for what the broker stored."
    )


@dataclass(frozen=True, slots=True)
class ForgetResult:
    """The boards that were removed.

    Attributes:
        boards: Their names.
        removed: Whether they were; a dry run removes nothing.
        known: Number of the boards that are left.
    """

    source: str
    boards: tuple[str, ...]
    removed: bool
    known: int


FLEET_FORGET: Step[ForgetOptions, ForgetResult] = Step(
    name="fleet-forget",
    title="Forget boards",
    summary="Remove boards that are gone, here and at the broker.",
    options=ForgetOptions,
    result=ForgetResult,
    work="studio.monitoring.boards.forget:forget",
    texts="studio.monitoring.boards.forget:lines",
    needs=_NEEDS,
)
