"""The command line of a worker that a supervisor starts: its limits and its collector."""

from __future__ import annotations

from pathlib import Path

from studio.runtime.generate.text_model import TextSettings
from studio.runtime.serve.arguments import parse
from studio.runtime.serve.options import Options

LIMITS = ("--queue-tokens=500", "--max-total-tokens=70", "--otlp-endpoint=http://host:4318")


def of_worker(given: Options) -> Options:
    """Return the options of the worker that serves for a supervisor."""
    return parse(given.for_worker(Path("/bundle"), 3, 4, 2))


def test_a_worker_has_the_limits_of_its_supervisor() -> None:
    found = of_worker(parse(["--root=/releases", *LIMITS]))
    assert found.queue_tokens == 500
    assert found.max_total_tokens == 70
    assert found.otlp_endpoint == "http://host:4318"


def test_limits_that_are_not_given_are_those_of_the_bundle() -> None:
    text = TextSettings(queue_tokens=9, total=8)
    found = of_worker(parse(["--root=/releases"]))
    assert found.otlp_endpoint == ""
    assert found.limited(text) == text
    given = of_worker(parse(["--root=/releases", "--queue-tokens=0", *LIMITS[1:]]))
    assert given.limited(text) == text._replace(queue_tokens=0, total=70)
