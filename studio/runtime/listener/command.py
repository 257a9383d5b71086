"""The ``gate`` command: keep a port, or give the turn to a release."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Dict, List

from ..shared.errors import CannotListen
from ..shared.listener_turns import Turns
from ..shared.threads import guarded_thread
from ..shared.trial_note import ENDED, hand_back
from .holder import Holder


def main(arguments: List[str]) -> int:
    """Do one thing; returns the exit status."""
    given = _parser().parse_args(arguments)
    turns = Turns(given.folder)
    if given.verb == "hold":
        try:
            return Holder(turns, given.host, given.port).run()
        except CannotListen as error:
            print(error, file=sys.stderr)
            return 1
    if given.verb in ("trial", "compare"):
        return _beside(turns, given)
    if given.verb == "back":
        hand_back(turns, given.release, given.reason)
    if given.verb == "turn":
        turns.give(given.release, given.owner)
        if given.release and not turns.wait_until_taken(given.release, given.seconds):
            print("The release did not take over the port.", file=sys.stderr)
            return 1
    print(json.dumps({"current": turns.current(), "past": turns.past()}))
    return 0


def _beside(turns: Turns, given: argparse.Namespace) -> int:
    """Hold the release of this container against the one before it; JSON lines on stdout."""
    from ..shared.errors import ReleaseError
    from . import trial

    over = threading.Event()
    guarded_thread("alive", lambda: _stay_audible(over)).start()
    try:
        if given.verb == "compare":
            trial.compare(turns, given.release, given.before, given.share)
            _emit({"event": "result"})
            return 0
        asked = trial.RequestedTrial(
            given.release,
            given.before,
            given.owner,
            json.loads(given.rule),
            given.seconds,
            given.adrift,
            given.share,
        )
        _emit({"event": "result", "soak": trial.run_trial(turns, asked, _emit)})
    except (ReleaseError, OSError) as error:
        about = {name: getattr(error, name, "") for name in ("code", "hint", "detail")}
        _emit({"event": "error", "message": str(error), **about})
        return 1
    finally:
        over.set()
    return 0


def _emit(line: Dict[str, object]) -> None:
    """Write a JSON line; a reader that has left does not stop the trial."""
    with _lock, contextlib.suppress(OSError):
        os.write(1, json.dumps(line).encode() + b"\n")


# The trial and the heartbeat write lines from two threads.
_lock = threading.Lock()


def _stay_audible(over: threading.Event) -> None:
    """Write a heartbeat line every second, so that a reader can follow and end the trial."""
    while not over.wait(1.0):
        _emit({"event": "alive"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gate", description="One port, releases in turn.")
    verbs = parser.add_subparsers(dest="verb")
    verbs.required = True
    hold = verbs.add_parser("hold", help="listen, and lend the socket to the releases")
    hold.add_argument("--host", default="0.0.0.0")
    hold.add_argument("--port", type=int, default=8477)
    turn = verbs.add_parser("turn", help="let a release answer from now on; '' for none")
    turn.add_argument("release")
    turn.add_argument("--owner", default="", help="who decided it, for the record")
    turn.add_argument("--seconds", type=float, default=30.0, help="longest wait for the release")
    trial = verbs.add_parser("trial", help="hold this container's release against the one before")
    trial.add_argument("--rule", default="{}", help="what the rule has that is not as usual, JSON")
    trial.add_argument("--seconds", type=float, default=300.0, help="the longest that it takes")
    trial.add_argument("--adrift", action="store_true", help="the one before has seen drift")
    trial.add_argument("--owner", default="", help="who decided it, for the record")
    back = verbs.add_parser("back", help="take back a release whose trial nobody watches any more")
    back.add_argument("release")
    back.add_argument("--reason", default=ENDED, help="for the record")
    compare = verbs.add_parser("compare", help="go on comparing answers with the one before")
    for verb in (trial, compare):
        verb.add_argument("release")
        verb.add_argument("--before", default="", help="digest of the one before")
        verb.add_argument("--share", type=float, default=0.0, help="of a core, after the trial")
    show = verbs.add_parser("show", help="whose turn it is, and was")
    for verb in (hold, turn, trial, back, compare, show):
        verb.add_argument("--folder", type=Path, required=True, help="shared with the releases")
    return parser
