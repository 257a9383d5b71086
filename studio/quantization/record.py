"""What the registry keeps of the stage's work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.jobs import Arguments, Result
from studio.quantization.step import METHODS
from studio.registry import ModelRef, Registry, VariantRecord, below, component_of
from studio.registry.copies import Copy

_NAMES = {"dynamic-int8": "{}-dynamic", "weight-only": "{}-weights"}
"""Names of variants that are not simply their precision."""

_FILES = ("file", "graph", "summary", "details")
"""What the registry keeps in another way."""

_OURS = ("model", "preset_name", "sensitivity", "signature")
"""What is spelled in another way, or is no option."""


def quantized(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Add the new variant, copy it to ``out``, and give the step's final result.

    Raises:
        StudioError: when the copy cannot be written; nothing is added then.
    """
    parent = registry.variant(ModelRef.from_json(arguments["model"]).variant)
    figures = {k: v for k, v in result.items() if k not in _FILES}
    made, graph = below(folder, result["file"]), below(folder, result["graph"])
    details = below(folder, result["details"]) if result.get("details") else None
    copy = Copy.begin(made, arguments.get("out"))
    variant = registry.add_variant(
        parent.model,
        arguments.get("name") or _name(arguments, result),
        registry.adopt(made, component_of(f"{parent.model_name}.onnx")),
        format=parent.format,
        precision=result["precision"],
        parent=parent.id,
        step="quantize",
        options=result["preset"],
        summary={**result["summary"], "quantize": figures},
        graph=registry.adopt(graph),
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
    kept = {"details": registry.adopt(details)} if details else {}
    registry.add_run("quantize", variant.id, asked(arguments), final, kept)
    return final


def evaluated(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the score."""
    variant = ModelRef.from_json(arguments["model"]).variant
    registry.add_run("evaluate", variant, asked(arguments), result)
    return result


def _name(arguments: Arguments, result: Result) -> str:
    """That of the preset, where it has one and its method was used; else the precision."""
    precision: str = result["precision"]
    method: str = result["preset"]["method"]
    preset = Path(arguments.get("preset_name") or "")
    if preset.suffix == ".toml" and f'method = "{method}"' in (arguments.get("preset") or ""):
        return preset.stem
    of_a_plugin = "{}" if method in METHODS else f"{{}}-{method}"
    return _NAMES.get(method, of_a_plugin).format(precision)


def _front(parent: VariantRecord, variant: VariantRecord, result: Result) -> list[dict[str, Any]]:
    """Points of quality, time and size: both models, and what else a search found worth choosing.

    The two are judged on samples that no choice has seen, the others (which were not kept, and have
    no variant) on those of the search.
    """
    metric = result["metric"] or {}
    kept = len(result["facts"].get("kept", ()))
    rows = [
        _point(record, record.name, result["bytes"][side], metric.get(side), ratio, sqnr, in_float)
        for record, side, ratio, sqnr, in_float in (
            (parent, "before", 1.0, None, None),
            (variant, "after", result["latency_ratio"], result["sqnr_db"], kept),
        )
    ]
    chosen = (result["search"] or {}).get("chosen")
    for trial in (result["search"] or {}).get("front", ()):
        if trial["kept"] != chosen:
            count = len(trial["kept"])
            name = f"{variant.name}, {count} layers in float"
            size, score, ratio = trial["bytes"], trial["score"], trial["latency_ratio"]
            rows.append(_point(None, name, size, score, ratio, None, count))
    return rows


def _point(
    record: VariantRecord | None,
    name: str,
    nbytes: int,
    metric: float | None,
    ratio: float | None,
    sqnr: float | None,
    in_float: int | None,
) -> dict[str, Any]:
    return {
        "variant": record.id if record else None,
        "name": name,
        "precision": record.precision if record else "int8",
        "bytes": nbytes,
        "metric": metric,
        "latency_ratio": ratio,
        "sqnr_db": sqnr,
        "float_layers": in_float,
        "judged_on": "heldout" if record else "search",
    }


def asked(arguments: Arguments) -> dict[str, Any]:
    """The arguments as a preset would spell them."""
    model = ModelRef.from_json(arguments["model"])
    given = {k: v for k, v in arguments.items() if v not in (None, [], "") and k not in _OURS}
    return {"model": f"{model.model_name}:{model.name}", **given}
