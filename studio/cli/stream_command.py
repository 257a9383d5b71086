"""``studio stream``: pictures, a video or a camera, answered by what a target serves."""

from __future__ import annotations

import argparse

from studio.cli.flags import option_values
from studio.cli.session import add_step, finish, workspace
from studio.jobs.object_names import load


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "stream")


def run(arguments: argparse.Namespace) -> int:
    """Send frames until they end or the user stops them, and print what came of them."""
    with workspace() as opened:
        job = opened.start("stream", **option_values(arguments, opened.steps["stream"].form))
        try:
            outcome = job.wait()
        except KeyboardInterrupt:  # the natural end of a camera, not a failure
            job.cancel()
            outcome = job.wait()
        assert outcome is not None
        return finish(outcome, arguments, load(opened.steps["stream"].texts))
