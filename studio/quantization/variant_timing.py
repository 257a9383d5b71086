"""Time of a variant against its float model, with the threads of a server."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from studio.api import Feeds, Progress
from studio.evaluation.comparison import Latency, latency, seconds_of
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.session_pool import processors
from studio.runtime.shared.threads import threads_for

_TIMED = 3
"""Inferences of the float model from which the number of threads follows."""


def timed(
    subject: LoadedModel, variant: Path, feeds: Feeds, progress: Progress, threads: int = 0
) -> Latency:
    """Load both models, and time them interleaved.

    Args:
        threads: Of an inference; 0: the usual ones.

    Raises:
        StudioError: when one cannot be loaded.
    """
    threads = threads or usual_threads(subject, feeds)
    with (
        closing(subject.session(threads=threads)) as before,
        closing(subject.session(variant, threads)) as after,
    ):
        return latency(before, after, feeds, progress, threads)


def usual_threads(subject: LoadedModel, feeds: Feeds) -> int:
    """Return the threads that a server would give the float model on this machine."""
    with closing(subject.session(threads=1)) as session:
        return threads_for(seconds_of(session, feeds, _TIMED), processors())
