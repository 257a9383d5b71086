"""The profile step: how fast variants are, on which backend, on which machine."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Step

DEFAULT = "onnxruntime"
"""The backend, unless another is asked for or the format needs one."""

PROFILE = Step(
    name="profile",
    title="Profile",
    summary="Measure latency in interleaved rounds and say which variant is faster.",
    options=(
        Option(
            "model",
            Kind.MODEL,
            title="Variants",
            help="What is measured; the first one is the reference.",
            required=True,
            many=True,
            positional=True,
        ),
        Option(
            "backend",
            Kind.TEXT,
            default=(DEFAULT,),
            title="Backends",
            help="The runtimes, also with options (openvino:precision=f32); all variants on each.",
            many=True,
        ),
        Option("target", Kind.TARGET, default="local", help="The machine that is measured on."),
        Option(
            "threads",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=1024,
            zero="automatic",
            help="Threads within an inference; 0 leaves it to the runtime.",
        ),
        Option(
            "seconds",
            Kind.NUMBER,
            default=20.0,
            minimum=0.1,
            maximum=86400,
            unit="s",
            help="Time for the measured rounds, all variants together; slow models take longer.",
        ),
        Option(
            "rounds",
            Kind.INTEGER,
            default=40,
            minimum=1,
            maximum=10000,
            help="Most rounds; more rounds tell smaller differences apart.",
            advanced=True,
        ),
        Option(
            "data",
            Kind.DATA,
            help="Samples, of which the first is the input; random values otherwise.",
        ),
        Option(
            "shapes",
            Kind.TEXT,
            title="Open sizes",
            help="Sizes that the model leaves open: input=1x3x48x320, or batch=1.",
            many=True,
        ),
        Option(
            "tolerance",
            Kind.NUMBER,
            minimum=0,
            help="Largest error against the reference, relative to its largest output.",
            advanced=True,
        ),
        Option(
            "operators",
            Kind.FLAG,
            default=False,
            title="Operators",
            help="Also measure the time of each operator.",
        ),
    ),
    work="studio.profiling.work:profile",
    record="studio.profiling.record:profiled",
    remote_needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
)
