"""The step of rollouts: one release for several targets, judged by one rule."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.deployment.options import DOWNGRADE, EMBEDDING, KEPT, REPLACE
from studio.jobs import Arguments, Limits, Result, Step, Use
from studio.packages.step import SIGN_WITH
from studio.rollouts.waves import STRATEGIES, TRIALS

ROLLOUT: Step[Arguments, Result] = Step(
    name="rollout",
    title="Roll out",
    summary="Release on several targets: boards, containers, clusters, clouds; in waves.",
    options=(
        Option("model", Kind.MODEL, positional=True, help="A model or a bundle's folder."),
        Option(
            "target",
            Kind.TARGET,
            many=True,
            title="Targets",
            help="Where, the first ones first; @GROUP for all of a group.",
        ),
        Option("bundle", Kind.FOLDER, help="A bundle, instead of a model.", advanced=True),
        Option("data", Kind.DATA, title="Golden samples", help="As in package; for a model."),
        Option("labels", Kind.FILE, help="As in package; for a model.", advanced=True),
        Option("preprocess", Kind.FILE, help="As in package; for a model.", advanced=True),
        EMBEDDING,
        REPLACE,
        SIGN_WITH,
        DOWNGRADE,
        Option(
            "strategy",
            Kind.CHOICE,
            "canary",
            choices=STRATEGIES,
            choice_titles=("all at once", "canary, then the rest", "waves"),
            help="How many targets get the release before it was judged.",
        ),
        Option("first", Kind.INTEGER, 1, minimum=1, title="First wave", help="Targets in it."),
        Option("size", Kind.INTEGER, 10, minimum=1, title="Later waves", help="Targets in each."),
        Option("parallel", Kind.INTEGER, 4, minimum=1, maximum=64, help="Targets at a time."),
        Option(
            "max_failures",
            Kind.INTEGER,
            0,
            minimum=0,
            title="Tolerated failures",
            help="More failed targets than this halt the rollout.",
        ),
        Option(
            "undo",
            Kind.FLAG,
            False,
            title="Roll back all on halt",
            help="When it is halted, take it back from the targets that kept it, too.",
        ),
        Option(
            "requests",
            Kind.INTEGER,
            50,
            minimum=1,
            maximum=100_000,
            title="Golden requests per target",
            help="Golden samples sent to each target, before and after.",
        ),
        Option(
            "soak_s",
            Kind.NUMBER,
            10.0,
            minimum=0,
            maximum=86_400,
            title="Soak time",
            unit="s",
            help="How long a target may take to give enough answers to be judged.",
            advanced=True,
        ),
        Option(
            "max_error_rate",
            Kind.NUMBER,
            0.01,
            minimum=0,
            maximum=1,
            help="Share of requests that may fail.",
            advanced=True,
        ),
        Option(
            "max_latency_ratio",
            Kind.NUMBER,
            1.5,
            minimum=0.1,
            help="Median latency against the release before.",
            advanced=True,
        ),
        Option(
            "min_agreement",
            Kind.NUMBER,
            0.0,
            minimum=0,
            maximum=1,
            title="Minimum agreement",
            zero="report only",
            help="Share of the golden samples that must be answered as the release before did.",
            advanced=True,
        ),
        Option(
            "quality",
            Kind.CHOICE,
            "none",
            choices=TRIALS,
            choice_titles=("none", "on the first wave", "on each target"),
            title="Trial",
            help="Hold the release against the one before on what clients really ask: it is kept "
            "or taken back by itself (as studio deploy --quality).",
        ),
        Option(
            "quality_s",
            Kind.NUMBER,
            300.0,
            minimum=1,
            maximum=3600,
            title="Longest trial",
            unit="s",
            help="A trial ends as soon as it is decided.",
            advanced=True,
        ),
        Option(
            "soak_rule",
            many=True,
            title="Trial rule",
            help="NAME=VALUE: what may be worse, as in deploy.",
            advanced=True,
        ),
        *KEPT,
        Option(
            "resume",
            help="Go on with a rollout that was halted, cancelled or cut off: its name, or last.",
            advanced=True,
        ),
    ),
    work="studio.rollouts.work:rollout",
    prepare="studio.rollouts.record:prepare",
    record="studio.rollouts.record:rolled_out",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    limits=Limits(seconds=86_400),
    use=Use.SERVE,
)
