"""References to model files that no registry has."""

from __future__ import annotations

from pathlib import Path

from studio.registry import ModelRef


def model_ref(path: Path | str, form: str = "onnx", name: str = "m") -> ModelRef:
    """A reference as a step's work gets it."""
    return ModelRef(
        str(path), digest="", variant=0, model=0, model_name=name, name="fp32",
        format=form, precision="fp32",
    )  # fmt: skip
