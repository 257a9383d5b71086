"""The targets of a wave, several at a time, each when windows and budgets allow it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

from studio.api import Cancelled
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.rollouts.disruption import Disruptions
from studio.rollouts.maintenance import MaintenanceWindow, next_opening
from studio.rollouts.target_rollout import TargetRollout

_LOOK_S = 0.2
_NO_ROOM = "failed targets use up the disruption budget"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class WaveLimits:
    """What limits the targets that are changed at the same time.

    Attributes:
        parallel: Number of targets.
        windows: Times at which a target may begin; always without any.
        disruptions: Targets that are away, against the budgets.
        clock: Gives the time, with its zone.
    """

    parallel: int
    windows: Sequence[MaintenanceWindow]
    disruptions: Disruptions
    clock: Clock = utc_now


class WaveRun:
    """One wave of a rollout."""

    def __init__(
        self,
        members: Sequence[TargetRollout],
        limits: WaveLimits,
        release: Callable[[TargetRollout], None],
        job: Job,
    ) -> None:
        """Prepare the wave.

        Args:
            release: Releases to one target; called in a thread.
        """
        self._waiting = list(members)
        self._limits = limits
        self._release = release
        self._job = job
        self._running: dict[Future[None], TargetRollout] = {}
        self._told: datetime | None = None

    def run(self, is_halted: Callable[[], bool]) -> None:
        """Release to all targets, or stop beginning further ones when the rollout is halted.

        Running releases finish, or stop at their next check when the user cancels.
        """
        with ThreadPoolExecutor(self._limits.parallel) as pool:
            while self._waiting or self._running:
                if not is_halted():
                    self._begin(pool)
                elif not self._running:
                    return
                self._job.check()
                self._collect()

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        """Begin all targets that may begin now."""
        disruptions = self._limits.disruptions
        if not self._waiting or not self._is_open():
            return
        for member in list(self._waiting):
            if len(self._running) >= self._limits.parallel:
                return
            name = member.row.target
            if disruptions.admits(name):
                disruptions.begin(name)
                self._waiting.remove(member)
                self._running[pool.submit(self._release, member)] = member
        if not self._running:  # targets that failed stay away, so waiting would not help
            for member in self._waiting:
                member.leave(_NO_ROOM)
            self._waiting.clear()

    def _is_open(self) -> bool:
        now = self._limits.clock()
        opens = next_opening(self._limits.windows, now)
        if opens <= now:
            self._told = None
            return True
        if opens != self._told:
            self._told = opens
            self._job.log(f"The maintenance window opens at {opens:%Y-%m-%d %H:%M %Z}.".rstrip())
        return False

    def _collect(self) -> None:
        if not self._running:
            time.sleep(_LOOK_S)  # until the window opens
        done, _ = wait(self._running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        for future in done:
            member = self._running.pop(future)
            try:
                future.result()
            except Cancelled:
                self._waiting.clear()
                raise
            if member.row.state != "failed":
                self._limits.disruptions.end(member.row.target)
