"""OpenVINO backend in its own environment, with an explicit precision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Kind, Option, ToolchainBackend

PRECISIONS = ("auto", "f32", "bf16", "f16")


class OpenVino(ToolchainBackend):
    """Backend for OpenVINO in its own environment."""

    id = "openvino"
    title = "OpenVINO"
    distribution = "openvino"
    runner = Path(__file__).with_name("runner.py")
    options: Sequence[Option] = (
        Option(
            "threads",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=1024,
            help="Threads of an inference; 0 leaves it to the runtime.",
        ),
        Option(
            "precision",
            Kind.CHOICE,
            default="auto",
            choices=PRECISIONS,
            help="What float operators compute in; auto takes half precision where it is faster.",
        ),
        Option(
            "hint",
            Kind.CHOICE,
            default="latency",
            choices=("latency", "throughput"),
            help="What OpenVINO tunes itself for; parallel streams are tuned for throughput.",
        ),
        Option(
            "device",
            default="CPU",
            title="Device",
            help="As OpenVINO names it: CPU, GPU, NPU.",
        ),
    )
