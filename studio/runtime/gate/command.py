"""The ``gate`` command: keep a port, or give the turn to a release."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import List

from ..serve.errors import CannotListen
from .holder import Holder
from .turns import Turns


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
    if given.verb == "turn":
        turns.give(given.release, given.owner)
        if given.release and not turns.wait_until_taken(given.release, given.seconds):
            print("The release did not take its turn.", file=sys.stderr)
            return 1
    print(json.dumps({"current": turns.current(), "past": turns.past()}))
    return 0


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
    for verb in (hold, turn, verbs.add_parser("show", help="whose turn it is, and was")):
        verb.add_argument("--folder", type=Path, required=True, help="shared with the releases")
    return parser
