"""The profile step: how fast variants are, on which backend, on which machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Step, Use
from studio.jobs.options_form import option
from studio.profiling.results import ProfileResult
from studio.registry import ModelRef

DEFAULT = "onnxruntime"
"""The backend, unless another is requested or the format needs one."""

Mode = Literal["latency", "throughput", "open-loop", "sustained"]


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """Options of the step."""

    model: tuple[ModelRef, ...] = option(
        kind=Kind.MODEL,
        title="Variants",
        help="What is measured; the first one is the reference.",
        positional=True,
    )
    backend: tuple[str, ...] = option(
        (DEFAULT,),
        title="Backends",
        help="The runtimes, also with options (openvino:precision=f32); all variants on each.",
    )
    target: TargetSpec | None = option(
        "local", kind=Kind.TARGET, help="The machine that is measured on."
    )
    mode: Mode = option(
        "latency",
        choice_titles=(
            "Latency (single stream)",
            "Throughput: streams and batches",
            "Open loop (request rate)",
            "Sustained (thermal)",
        ),
        help="Benchmark mode: latency, throughput, open-loop load, or sustained load.",
    )
    threads: int = option(
        0,
        minimum=0,
        maximum=1024,
        zero="automatic",
        help="Threads within an inference; 0 takes one, and all cores for a model that takes "
        "more than 50 ms on one, as a server does.",
    )
    seconds: float = option(
        20.0,
        minimum=0.1,
        maximum=86400,
        unit="s",
        help="Time for the measured rounds, all variants together; slow models take longer.",
    )
    rounds: int = option(
        40,
        minimum=1,
        maximum=10000,
        help="Most rounds; more rounds tell smaller differences apart.",
        advanced=True,
    )
    looks: int = option(
        3,
        minimum=1,
        maximum=5,
        help="Interim checks at which a benchmark may stop early; 1 checks only at the end.",
        advanced=True,
        spelling="interim_checks",
    )
    streams: tuple[int, ...] = option(
        (1,),
        minimum=1,
        maximum=256,
        help="Parallel streams: each number is tried for throughput, else the first is used.",
    )
    batch: tuple[int, ...] = option(
        (1,),
        minimum=1,
        maximum=4096,
        help="Samples of an inference; each number is tried for throughput.",
    )
    limit: float = option(
        0.0,
        minimum=0,
        maximum=3_600_000,
        unit="ms",
        zero="none",
        help="Open loop: what 99 % of the requests must keep, from the time they are due.",
        spelling="p99_limit_ms",
    )
    rate: float = option(
        0.0,
        minimum=0,
        maximum=1_000_000,
        unit="requests/s",
        zero="search",
        help="Open loop: the rate that is tried; 0 searches for the highest.",
    )
    minutes: float = option(
        5.0,
        minimum=0.05,
        maximum=1440,
        unit="min",
        help="Sustained: how long each variant runs.",
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        help="Samples, of which the first is the input; random values without any.",
        project=("calibration", "evaluation", "heldout"),
    )
    shapes: tuple[str, ...] | None = option(
        None,
        title="Open sizes",
        help="Sizes that the model leaves open: input=1x3x48x320, or batch=1.",
    )
    tolerance: float | None = option(
        None,
        minimum=0,
        help="Largest error against the reference, relative to its largest output.",
        advanced=True,
    )
    operators: bool = option(
        False, title="Operators", help="Also measure the time of each operator."
    )
    energy: bool = option(
        False,
        title="Energy",
        help="Also measure the energy of an inference, where a sensor can be read.",
    )
    meter: Path | None = option(
        None,
        kind=Kind.FILE,
        help="A meter of your own: a Python file whose rails() gives what can be read.",
        advanced=True,
    )


PROFILE: Step[ProfileOptions, ProfileResult] = Step(
    name="profile",
    title="Profile",
    summary="Measure in interleaved rounds how fast variants are, and say which is faster.",
    options=ProfileOptions,
    result=ProfileResult,
    work="studio.profiling.work:profile",
    record="studio.profiling.record:profiled",
    texts="studio.profiling.texts:profile",
    remote_needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    effect=Effect.MEASURES,
    use=Use.RUN,
)
