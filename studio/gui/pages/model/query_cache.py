"""Small questions that a worker answers for the inspector, each asked once."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.workspace import RunningJob

_MOST = 256

Answer = Mapping[str, Any] | None
"""The step's result; None where there is none, which the window has said."""


class QueryCache:
    """Steps with their answers; the latest answers are kept."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._known: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        self._asked: dict[str, tuple[RunningJob, list[Callable[[Answer], None]]]] = {}

    def known(self, step: str, **options: object) -> Answer:
        """The answer, if it was asked for before."""
        return self._known.get(_key(step, options))

    def ask(self, step: str, done: Callable[[Answer], None], **options: object) -> None:
        """Hand the answer to ``done``, at once where it is known."""
        key = _key(step, options)
        if key in self._known:
            done(self._known[key])
        elif key in self._asked:
            self._asked[key][1].append(done)
        elif (job := self._shell.start(step, **options)) is not None:
            self._asked[key] = (job, [done])
        else:
            done(None)

    def hear(self, event: object) -> None:
        """Take the ends of the jobs."""
        for key, (job, calls) in list(self._asked.items()):
            if getattr(event, "job", None) == job and job.outcome is not None:
                del self._asked[key]
                answer = job.outcome.result if job.outcome.ok else None
                if answer is not None:
                    self._known[key] = answer
                    if len(self._known) > _MOST:
                        self._known.popitem(last=False)
                for call in calls:
                    call(answer)


def _key(step: str, options: Mapping[str, object]) -> str:
    return json.dumps([step, options], sort_keys=True)
