"""The options of an image as data, and the specification that they make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import Kind, Option, UsageError
from studio_docker.image import base

_USER = re.compile(r"\d{1,9}(:\d{1,9})?")

IMAGE_OPTIONS = (
    Option(
        "base",
        default=base.DEFAULT,
        title="Base image",
        help="Image with Python, or an image file (docker save, OCI, root file system).",
    ),
    Option(
        "variant",
        Kind.CHOICE,
        default="cpu",
        choices=("cpu", "cuda"),
        choice_titles=("Processor", "NVIDIA GPU"),
        title="Runs on",
        help="Processor of the server. For a GPU, the base image must contain CUDA, cuDNN "
        "and Python.",
    ),
    Option(
        "size_budget_mb",
        Kind.INTEGER,
        default=0,
        minimum=0,
        title="Size budget",
        unit="MB",
        zero="none",
        help="Maximum unpacked size of the image.",
    ),
    Option(
        "arch",
        Kind.CHOICE,
        default="",
        choices=("", "amd64", "arm64"),
        choice_titles=("as the base image", "x86-64", "ARM, 64 bit"),
        title="Processor",
        help="Architecture of the base image.",
        advanced=True,
    ),
    Option(
        "python",
        default="",
        help="Python version of the base image, such as 3.13, if it cannot be detected.",
        advanced=True,
    ),
    Option(
        "user",
        default="10001:10001",
        title="User",
        help="User and group ID of the server; 0 is root.",
        advanced=True,
    ),
    Option("licence", default="", title="Licence", help="SPDX license of the model."),
    Option("source", default="", title="Source", help="Source URL of the model.", advanced=True),
)


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """Build settings of an image."""

    base: str
    variant: str
    arch: str
    python: str
    user: str
    licence: str
    source: str
    budget_mb: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ImageSpec:
        """Return the image spec that checked options make.

        Raises:
            UsageError: when they do not go together.
        """
        if not _USER.fullmatch(str(options["user"])):
            raise UsageError(
                f"The user must be a number, not {options['user']!r}.",
                hint="Write 10001:10001, or 0 for root.",
            )
        if options["variant"] == "cuda" and options["base"] == base.DEFAULT:
            raise UsageError(
                "The image for NVIDIA GPUs needs a base image with CUDA, cuDNN and Python.",
                hint="Choose one with base=IMAGE.",
            )
        return cls(
            base=str(options["base"]),
            variant=str(options["variant"]),
            arch=str(options["arch"] or ""),
            python=str(options["python"] or ""),
            user=str(options["user"]),
            licence=str(options["licence"] or ""),
            source=str(options["source"] or ""),
            budget_mb=int(options["size_budget_mb"] or 0),
        )

    def requirements(self, bundle: Mapping[str, str], pictures: bool) -> list[str]:
        """Return the requirements to install for a bundle.

        Args:
            bundle: Its own requirements.
            pictures: Whether its server takes pictures.
        """
        wanted = dict(bundle)
        if self.variant == "cuda" and "onnxruntime" in wanted:
            wanted["onnxruntime-gpu"] = wanted.pop("onnxruntime")
        if pictures:
            wanted.setdefault("pillow", ">=9")
        return [f"{name}{version}" for name, version in sorted(wanted.items())]
