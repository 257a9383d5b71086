"""The step of calling: requests sent to what a target serves."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Effect, Limits, Result, Step

CALL: Step[Arguments, Result] = Step(
    name="call",
    title="Call",
    summary="Send requests to what a target serves, and measure the answers.",
    options=(
        Option("target", Kind.TARGET, "local", help="Where the model is served."),
        Option(
            "data",
            Kind.DATA,
            title="Samples",
            help="What to send, in turn; without it, random inputs of the right shape.",
        ),
        Option(
            "print",
            Kind.CHOICE,
            choices=("curl", "python", "javascript"),
            choice_titles=("curl", "Python", "JavaScript"),
            title="Print a program",
            help="Print a program that calls the model in this language, instead of sending "
            "requests.",
        ),
        Option("requests", Kind.INTEGER, 100, minimum=1, maximum=1_000_000),
        Option(
            "connections",
            Kind.INTEGER,
            1,
            minimum=1,
            maximum=64,
            help="How many requests are under way at once.",
        ),
    ),
    work="studio.monitoring.endpoint.call:call",
    prepare="studio.monitoring.released_bundles:prepare",
    needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
    ordered=True,
)
