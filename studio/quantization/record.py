"""What the registry keeps of the stage's work."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

from studio.api import StudioError
from studio.jobs import Arguments, Result
from studio.registry import ModelRef, Registry, VariantRecord

_NAMES = {"static-int8": "int8", "dynamic-int8": "int8-dynamic"}
"""Names of variants that are not simply their precision."""


def quantized(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Add the new variant, copy it to ``out``, and give the step's final result.

    Raises:
        StudioError: when the copy cannot be written; nothing is added then.
    """
    parent = registry.variant(ModelRef.from_json(arguments["model"]).variant)
    figures = {k: v for k, v in result.items() if k not in ("file", "graph", "summary")}
    copy = _Copy.begin(folder / result["file"], arguments.get("out"))
    variant = registry.add_variant(
        parent.model,
        arguments.get("name") or _name(result),
        registry.adopt(folder / result["file"], f"{parent.model_name}.onnx"),
        format=parent.format,
        precision=result["precision"],
        parent=parent.id,
        step="quantize",
        options=result["recipe"],
        summary={**result["summary"], "quantize": figures},
        graph=registry.adopt(folder / result["graph"]),
    )
    output = copy.finish() if copy else variant.path
    final = {
        "output": str(output),
        "model": variant.model_name,
        "variant": variant.id,
        "name": variant.name,
        **figures,
        "front": _front(parent, variant, result),
    }
    registry.add_run("quantize", variant.id, _asked(arguments), final)
    return final


def evaluated(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the score."""
    variant = ModelRef.from_json(arguments["model"]).variant
    registry.add_run("evaluate", variant, _asked(arguments), result)
    return result


def _name(result: Result) -> str:
    precision: str = result["precision"]
    return _NAMES.get(result["recipe"]["method"], precision)


def _front(parent: VariantRecord, variant: VariantRecord, result: Result) -> list[dict[str, Any]]:
    """Both models as points of quality, time and size."""
    metric = result["metric"] or {}
    return [
        {
            "variant": record.id,
            "name": record.name,
            "precision": record.precision,
            "bytes": result["bytes"][side],
            "metric": metric.get(side),
            "latency_ratio": ratio,
            "sqnr_db": sqnr,
        }
        for record, side, ratio, sqnr in (
            (parent, "before", 1.0, None),
            (variant, "after", result["latency_ratio"], result["sqnr_db"]),
        )
    ]


def _asked(arguments: Arguments) -> dict[str, Any]:
    """The arguments as a recipe would spell them."""
    model = ModelRef.from_json(arguments["model"])
    given = {k: v for k, v in arguments.items() if v not in (None, [], "") and k != "model"}
    return {"model": f"{model.model_name}:{model.name}", **given}


class _Copy:
    """A copy of a file that appears under its name whole or not at all."""

    def __init__(self, written: Path, target: Path) -> None:
        self._written = written
        self._target = target

    @classmethod
    def begin(cls, source: Path, target: str | None) -> _Copy | None:
        """Write the copy under a passing name beside its target."""
        if not target:
            return None
        path = Path(target)
        if path.is_dir():
            path = path / source.name
        passing = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
        try:
            with source.open("rb") as read, passing.open("wb") as write:
                shutil.copyfileobj(read, write, 1 << 20)
                write.flush()
                os.fsync(write.fileno())
        except OSError as error:
            passing.unlink(missing_ok=True)
            raise StudioError(
                f"The new model cannot be written to {path}: {error.strerror}."
            ) from None
        return cls(passing, path)

    def finish(self) -> Path:
        """Give the copy its name, over an older one."""
        self._written.replace(self._target)
        return self._target
