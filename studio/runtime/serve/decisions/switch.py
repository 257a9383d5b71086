"""The switch of a model's record of decisions: a note on the disk turns it on and off."""

from __future__ import annotations

import sys
import threading
import time
from functools import lru_cache

from ...decisions.config import FOLDER, config_in, run_folder_beside
from ...parts import MissingPart
from ..engine.observer import RECORDER_THREAD
from ..engine.served_model import ServedModel

_STOP_S = 5.0


def follow_decisions(model: ServedModel) -> bool:
    """Start, continue or end the recording, as the note allows now; return whether it changed."""
    run = run_folder_beside(model.source.path)
    config = None if run is None else config_in(run)
    if config == (None if model.decisions is None else model.decisions.config):
        return False
    end_recording(model)
    model.decisions = None
    if config is not None and run is not None:
        # Few servers keep a record, and the others load nothing of it.
        try:
            from .recorder import DecisionRecorder
        except MissingPart as error:
            _report(str(error))
            return False
        model.decisions = DecisionRecorder(model, config, run / FOLDER)
    return True


@lru_cache(maxsize=1)
def _report(sentence: str) -> None:
    """Print why nothing is recorded, once and not at each look at the note."""
    print(sentence, file=sys.stderr, flush=True)


def end_recording(model: ServedModel) -> None:
    """End the recording of a model's decisions once its requests are answered."""
    if model.decisions is not None:
        model.decisions.end()


def wait_for_recorders() -> None:
    """Wait for a few seconds until all that were ended have written what they had.

    One whose note or model was replaced may still write when its server ends.
    """
    deadline = time.monotonic() + _STOP_S
    for thread in threading.enumerate():
        if thread.name == RECORDER_THREAD:
            thread.join(max(0.0, deadline - time.monotonic()))
