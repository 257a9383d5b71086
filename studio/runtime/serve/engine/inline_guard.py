"""The end of an inference in the event loop's own thread that takes longer than a request may."""

from __future__ import annotations

import math
import threading
import time
from typing import Any, Callable, Optional

_clock = time.monotonic
_MOST_LOOKS_S = 1.0


class InlineGuard:
    """A thread that looks at how long the run under way takes.

    A model is run inline because it was quick when it was measured. How long it takes may depend
    on the input, though (a loop, a search): while such a run lasts, no other client is answered
    and no deadline is kept, as nothing but it happens in the event loop. So somebody else has to
    end it. After one long run the model is no longer run inline.
    """

    def __init__(self, limit_s: float) -> None:
        """Begin with nothing under way.

        Args:
            limit_s: Seconds that a run may take; infinite for no limit.
        """
        self._limit_s = limit_s
        self._began = math.inf
        self._options: Any = None
        self._watching = math.isinf(limit_s)

    def begin(self, make_options: Callable[[], Any]) -> Any:
        """A run begins; returns the options (onnxruntime's) that it must be run with."""
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="inline guard", daemon=True).start()
        options = self._options
        if options is None:
            self._options = options = make_options()
        self._began = _clock()
        return options

    def end(self, now: Optional[float] = None) -> None:
        """The run has ended.

        Options are made again only after a run that may just be ended: to make them takes as long
        as a part of a small model.

        Args:
            now: The monotonic clock, by whoever has just read it.
        """
        if (now or _clock()) - self._began > self._limit_s / 2:
            self._options = None
        self._began = math.inf

    def _watch(self) -> None:
        while True:
            time.sleep(min(_MOST_LOOKS_S, self._limit_s / 4))
            # Should this run end now, nothing is hit: no other gets the options of one so long.
            options = self._options
            if _clock() - self._began > self._limit_s:
                options.terminate = True
