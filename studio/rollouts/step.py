"""The step of rollouts: a release to several targets with one rule for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal

from studio.api import Kind, Permission, TargetSpec
from studio.deployment.options import DOWNGRADE, KEPT, MODEL, REPLACE, SAMPLES_MB
from studio.jobs import Limits, Step, Use
from studio.jobs.options_form import like, option
from studio.lazy_dataclass import dataclass
from studio.packages.results import PackageResult
from studio.packages.step import BUNDLE, SIGN_WITH, PackagingOptions
from studio.registry import ModelRef
from studio.rollouts.results import RolloutResult, RolloutWork, TargetRow

_SHADOW, _SAMPLES, _QUOTA = KEPT


@dataclass(frozen=True, kw_only=True)
class SubjectOptions:
    """The release, and its targets."""

    model: ModelRef | None = like(MODEL)
    target: tuple[TargetSpec, ...] | None = option(
        None,
        kind=Kind.TARGET,
        title="Targets",
        help="Target names in rollout order, or @GROUP.",
    )
    bundle: Path | None = like(BUNDLE)


# A dataclass collects its fields from the last base to the first: the order of the form.
@dataclass(frozen=True, kw_only=True)
class RolloutOptions(PackagingOptions, SubjectOptions):
    """Options of the step ``rollout``.

    Attributes:
        packaged: Result of packaging, for a resumed rollout.
        rows: Targets of a resumed rollout, by name.
        known_bundles: Folders of the targets' earlier bundles, by release.
        target_labels: Labels of the targets, by name.
        serving: What the targets serve, for a plan.
    """

    replace: bool = like(REPLACE, False)
    sign: Path | None = like(SIGN_WITH)
    downgrade: str | None = like(DOWNGRADE)
    strategy: Literal["all", "canary", "waves"] = option(
        "canary",
        choice_titles=("all at once", "canary, then the rest", "waves"),
        help="Targets that receive the release before the rule is applied.",
    )
    first_wave: int = option(
        1,
        minimum=1,
        title="First wave",
        help="Number of targets in the first wave.",
    )
    wave_size: int = option(
        10,
        minimum=1,
        title="Later waves",
        help="Number of targets in each later wave.",
    )
    wave_by: str | None = option(
        None,
        title="Waves by label",
        help="Label whose values are the waves, in the order of the targets (instead of a "
        "strategy). Targets without it are the last wave.",
        advanced=True,
    )
    parallel: int = option(4, minimum=1, maximum=64, help="Number of targets updated in parallel.")
    max_failures: int = option(
        0,
        minimum=0,
        title="Tolerated failures",
        help="Number of failed targets that the rollout tolerates before it halts.",
    )
    max_failure_share: float = option(
        0.0,
        minimum=0,
        maximum=1,
        title="Tolerated share of failures",
        zero="none",
        help="Share of the targets changed so far that may fail, if that is more than "
        "--max-failures.",
        advanced=True,
    )
    max_unavailable: tuple[str, ...] | None = option(
        None,
        title="Disruption budget",
        help="LABEL=N or LABEL=N%: targets with the same value of a label that are updated at "
        "once. A failed one counts until the end.",
        advanced=True,
    )
    window: tuple[str, ...] | None = option(
        None,
        title="Maintenance window",
        help='Days and hours in which a target may begin, such as "Mon-Fri 22:00-04:00 '
        'Europe/Berlin" or "daily 01:00-05:00".',
        advanced=True,
    )
    rollback_on_halt: bool = option(
        False,
        title="Roll back all on halt",
        help="Roll back all targets when the rollout halts.",
    )
    requests: int = option(
        50,
        minimum=1,
        maximum=100_000,
        title="Golden requests per target",
        help="Golden samples sent to each target, before and after.",
    )
    soak_s: float = option(
        10.0,
        minimum=0,
        maximum=86_400,
        title="Soak time",
        unit="s",
        help="Maximum time for a target to collect enough requests for a verdict.",
        advanced=True,
    )
    max_error_rate: float = option(
        0.01, minimum=0, maximum=1, help="Maximum share of failed requests.", advanced=True
    )
    max_latency_ratio: float = option(
        1.5,
        minimum=0.1,
        help="Limit of the median latency, relative to the previous release.",
        advanced=True,
    )
    min_agreement: float = option(
        0.0,
        minimum=0,
        maximum=1,
        title="Minimum agreement",
        zero="report only",
        help="Share of golden samples whose result must equal that of the previous release.",
        advanced=True,
    )
    trial: Literal["none", "canary", "each"] = option(
        "none",
        choice_titles=("none", "on the first wave", "on each target"),
        title="Trial",
        help="Compare with the previous release on live requests and roll back "
        "automatically (see studio deploy --trial).",
    )
    trial_s: float = option(
        300.0,
        minimum=1,
        maximum=3600,
        title="Longest trial",
        unit="s",
        help="Maximum duration of a trial. It ends as soon as the verdict is clear.",
        advanced=True,
    )
    trial_rule: tuple[str, ...] | None = option(
        None,
        title="Trial rule",
        help="Limit of the trial as NAME=VALUE (see studio deploy).",
        advanced=True,
    )
    shadow_cpu: float = like(_SHADOW, 0.0)
    keep_samples: int = like(_SAMPLES, 0)
    samples_mb: float = like(_QUOTA, SAMPLES_MB)
    needs_approval: bool = option(
        False,
        title="Needs approval",
        help="Wait until a second person has approved the plan (see studio plan).",
        advanced=True,
    )
    resume: str | None = option(
        None,
        help="Resume a halted, cancelled or interrupted rollout: its name, or last.",
        advanced=True,
    )
    dry_run: bool = option(
        False, title="Dry run", help="Print what each target would get, and change nothing."
    )
    packaged: PackageResult | None = None
    rows: Mapping[str, TargetRow] = field(default_factory=dict)
    known_bundles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    target_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    serving: Mapping[str, str] = field(default_factory=dict)


ROLLOUT: Step[RolloutOptions, RolloutResult] = Step(
    name="rollout",
    awaits_approval=True,
    event="rollout.ended",
    title="Roll out",
    summary="Roll out a release in waves to boards, containers, clusters and clouds.",
    options=RolloutOptions,
    result=RolloutResult,
    work_result=RolloutWork,
    work="studio.rollouts.work:rollout",
    prepare="studio.rollouts.record:prepare",
    record="studio.rollouts.record:rolled_out",
    texts="studio.rollouts.texts:rollout",
    exit_code="studio.rollouts.texts:exit_code",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    limits=Limits(seconds=86_400),
    use=Use.SERVE,
)
