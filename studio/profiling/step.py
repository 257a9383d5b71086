"""The profile step: how fast variants are, on which backend, on which machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.profiling.results import ProfileResult
from studio.registry import ModelRef

DEFAULT = "onnxruntime"
"""The backend, unless another is requested or the format needs one."""

Mode = Literal["latency", "throughput", "open-loop", "sustained", "tokens"]
Cache = Literal["f16", "int8", "int4"]


@dataclass(frozen=True)
class ProfiledVariants:
    """The variants of a profile and the backends that run them."""

    model: tuple[ModelRef, ...] = option(
        kind=Kind.MODEL,
        title="Variants",
        help="Models to profile; the first one is the baseline.",
        positional=True,
    )
    backend: tuple[str, ...] = option(
        (DEFAULT,),
        title="Backends",
        help="Backends, optionally with options (openvino:precision=f32). All variants run "
        "on each backend.",
    )


@dataclass(frozen=True)
class OneTarget(ProfiledVariants):
    """The variants of a profile on one target."""

    target: TargetSpec | None = option(
        "local",
        kind=Kind.TARGET,
        help="Target name. Several, @GROUP or @LABEL=VALUE: a study over boards (studio study).",
    )


@dataclass(frozen=True)
class BenchSettings:
    """The settings of a benchmark, whatever it measures and wherever."""

    mode: Mode = option(
        "latency",
        choice_titles=(
            "Latency (single stream)",
            "Throughput: streams and batches",
            "Open loop (request rate)",
            "Sustained (thermal)",
            "Tokens (language models)",
        ),
        help="Benchmark mode: latency, throughput, open-loop load, or sustained load. Language "
        "models are always measured in tokens.",
    )
    threads: int = option(
        0,
        minimum=0,
        maximum=1024,
        zero="automatic",
        help="Threads per inference. 0: one, or all cores if an inference takes more than "
        "50 ms, as on the server.",
    )
    seconds: float = option(
        20.0,
        minimum=0.1,
        maximum=86400,
        unit="s",
        help="Time for all measured rounds; slow models take longer.",
    )
    rounds: int = option(
        40,
        minimum=1,
        maximum=10000,
        help="Maximum number of rounds. More rounds resolve smaller differences.",
        advanced=True,
    )
    interim_checks: int = option(
        3,
        minimum=1,
        maximum=5,
        help="Interim checks at which a benchmark may stop early; 1 checks only at the end.",
        advanced=True,
    )
    streams: tuple[int, ...] = option(
        (1,),
        minimum=1,
        maximum=256,
        help="Parallel streams. Throughput and language models try each number; other modes use "
        "the first.",
    )
    batch: tuple[int, ...] = option(
        (1,),
        minimum=1,
        maximum=4096,
        help="Samples per inference (batch size). Throughput tries each number.",
    )
    p99_limit_ms: float = option(
        0.0,
        minimum=0,
        maximum=3_600_000,
        unit="ms",
        zero="none",
        help="Open loop: p99 latency limit, measured from the scheduled time.",
    )
    rate: float = option(
        0.0,
        minimum=0,
        maximum=1_000_000,
        unit="requests/s",
        zero="search",
        help="Open loop: request rate; 0 searches for the highest.",
    )
    minutes: float = option(
        5.0,
        minimum=0.05,
        maximum=1440,
        unit="min",
        help="Sustained: duration for each variant.",
    )
    prompt_tokens: tuple[int, ...] = option(
        (128,),
        minimum=1,
        maximum=1_000_000,
        unit="tokens",
        help="Language models: prompt length, or its median and 95th percentile.",
    )
    answer_tokens: int = option(
        32,
        minimum=2,
        maximum=100_000,
        unit="tokens",
        help="Language models: length of each answer.",
    )
    prompts: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Language models: prompts as JSON lines, instead of a length.",
    )
    contexts: tuple[int, ...] | None = option(
        None,
        minimum=16,
        maximum=10_000_000,
        unit="tokens",
        title="Memory at contexts",
        help="Language models: also measure the memory with this many tokens in the cache.",
    )
    cache: Cache = option(
        "f16",
        title="KV cache",
        help="Language models: precision of the cache of keys and values.",
        advanced=True,
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        help="Input data; the first sample is used (default: random values).",
        project=("calibration", "evaluation", "heldout"),
    )
    shapes: tuple[str, ...] | None = option(
        None,
        title="Dynamic dimensions",
        help="Sizes of dynamic dimensions: input=1x3x48x320, or batch=1.",
    )
    tolerance: float | None = option(
        None,
        minimum=0,
        help="Maximum error against the baseline, relative to its largest output.",
        advanced=True,
    )
    operators: bool = option(
        False, title="Operators", help="Also measure the time of each operator."
    )
    energy: bool = option(
        False,
        title="Energy",
        help="Also measure the energy per inference, if the machine has a sensor.",
    )
    meter: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Custom energy meter: a Python file with a function rails().",
        advanced=True,
    )
    wait: float = option(
        0.0,
        minimum=0,
        maximum=86_400,
        unit="s",
        title="Wait for the board",
        zero="do not wait",
        help="Longest wait for a board on which another user measures.",
        advanced=True,
    )


@dataclass(frozen=True)
class ProfileOptions(BenchSettings, OneTarget):
    """Options of the step ``profile``."""


PROFILE: Step[ProfileOptions, ProfileResult] = Step(
    name="profile",
    title="Profile",
    summary="Benchmark variants in interleaved rounds and compare them.",
    options=ProfileOptions,
    result=ProfileResult,
    work="studio.profiling.work:profile",
    record="studio.profiling.record:profiled",
    texts="studio.profiling.texts:profile",
    remote_needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    effect=Effect.MEASURES,
    use=Use.RUN,
    language=True,
)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of the step."""

    profile: Path = option(kind=Kind.FILE, help="Output of studio profile --json.")
    out: Path = option(
        kind=Kind.OUTPUT, help="Output file: .html, .csv, .json, .png, .pdf or .svg."
    )


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The file that was written."""

    output: str
    bytes: int


PROFILE_EXPORT: Step[ExportOptions, ExportResult] = Step(
    name="profile-export",
    title="Export the profile",
    summary="Export a profile as HTML, CSV or JSON, or a figure as PNG, PDF or SVG.",
    options=ExportOptions,
    result=ExportResult,
    work="studio.profiling.export:write",
    record="studio.profiling.export:written",
    effect=Effect.PURE,
    in_history=False,
)
