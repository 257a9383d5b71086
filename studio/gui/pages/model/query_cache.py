"""Small questions that a worker answers for the inspector, each asked once."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.workspace import RunningJob

AnswerT = TypeVar("AnswerT")
_MOST = 256


class QueryCache(Generic[AnswerT]):
    """A cache of a step's latest answers by their options.

    An answer is the result of the step, or None after a failure that the window has shown.
    """

    def __init__(self, shell: Shell, step: str) -> None:
        self._shell, self._step = shell, step
        self._known: OrderedDict[str, AnswerT] = OrderedDict()
        self._asked: dict[str, tuple[RunningJob, list[Callable[[AnswerT | None], None]]]] = {}

    def known(self, **options: object) -> AnswerT | None:
        """Return the answer of an earlier query, or None."""
        return self._known.get(_key(options))

    def query(self, done: Callable[[AnswerT | None], None], **options: object) -> None:
        """Run a query and pass its answer to ``done``, at once where it is cached."""
        key = _key(options)
        if key in self._known:
            done(self._known[key])
        elif key in self._asked:
            self._asked[key][1].append(done)
        elif (job := self._shell.start(self._step, **options)) is not None:
            self._asked[key] = (job, [done])
        else:
            done(None)

    def on_event(self, event: object) -> None:
        """Cache the results of finished jobs."""
        for key, (job, calls) in list(self._asked.items()):
            if getattr(event, "job", None) == job and job.outcome is not None:
                del self._asked[key]
                answer: AnswerT | None = job.outcome.result if job.outcome.ok else None
                if answer is not None:
                    self._known[key] = answer
                    if len(self._known) > _MOST:
                        self._known.popitem(last=False)
                for call in calls:
                    call(answer)


def _key(options: Mapping[str, object]) -> str:
    return json.dumps(options, sort_keys=True)
