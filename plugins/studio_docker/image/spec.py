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
        help="An image with Python, or the file of one (docker save, OCI, a root file system).",
    ),
    Option(
        "variant",
        Kind.CHOICE,
        default="cpu",
        choices=("cpu", "cuda"),
        choice_titles=("Processor", "NVIDIA GPU"),
        title="Runs on",
        help="For a GPU, the base image must bring CUDA, cuDNN and Python.",
    ),
    Option(
        "size_budget_mb",
        Kind.INTEGER,
        default=0,
        minimum=0,
        title="Size budget",
        unit="MB",
        zero="none",
        help="Refuse an image that is larger, unpacked.",
    ),
    Option(
        "arch",
        Kind.CHOICE,
        default="",
        choices=("", "amd64", "arm64"),
        choice_titles=("as the base image", "x86-64", "ARM, 64 bit"),
        title="Processor",
        help="Which one of the base image's processors.",
        advanced=True,
    ),
    Option(
        "python",
        default="",
        help="Version of the base image's Python, where it does not say it (3.13).",
        advanced=True,
    ),
    Option(
        "user",
        default="10001:10001",
        title="User",
        help="Number of the user (and group) that the server runs as; 0 is root.",
        advanced=True,
    ),
    Option("licence", default="", title="Licence", help="Of the model, as SPDX writes it."),
    Option(
        "source", default="", title="Source", help="Address of where it was made.", advanced=True
    ),
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
                hint="Name it with base=.",
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
