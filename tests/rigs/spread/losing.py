"""An executor of this process that loses tasks: the real program on this computer, but for that."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from studio.api import ProgramStart, TaskOrder, TaskPhase, TaskSight
from studio_local.executor import LocalTasks


@dataclass
class LosingExecutor:
    """Loses the first attempts of each task.

    Attributes:
        losses: How many attempts of each task.
        session: The session that was opened last.
        orders: Every order that came.
    """

    losses: int
    id: str = "losing"
    title: str = "Losing"
    schemes: tuple[str, ...] = ("losing",)
    session: LosingSession | None = None
    orders: list[TaskOrder] = field(default_factory=list)

    def open(self, address: str, start: ProgramStart | None = None) -> LosingSession:
        """Return a session."""
        self.session = LosingSession(self)
        return self.session


class LosingSession:
    """Two tasks at a time; a lost one never begins."""

    def __init__(self, executor: LosingExecutor) -> None:
        self._executor = executor
        self._tasks = LocalTasks(2)
        self._lost: set[str] = set()

    def submit(self, order: TaskOrder) -> None:
        """Queue a task, or lose it."""
        self._executor.orders.append(order)
        if int(order.id.rpartition("-")[2]) <= self._executor.losses:
            self._lost.add(order.id)
        else:
            self._tasks.submit(order)

    def look(self, task: str) -> TaskSight:
        """Return what is known of a task."""
        if task in self._lost:
            return TaskSight(TaskPhase.LOST, node="node-2", reason="the power was cut")
        return self._tasks.look(task)

    def cancel(self, task: str) -> None:
        """End a task."""
        self._tasks.cancel(task)

    def fetch(self, task: str, file: Path) -> None:
        """Copy the output."""
        self._tasks.fetch(task, file)

    def forget(self, task: str) -> None:
        """Remove what is kept of a task."""
        if task not in self._lost:
            self._tasks.forget(task)

    def close(self) -> None:
        """End all."""
        self._tasks.close()
