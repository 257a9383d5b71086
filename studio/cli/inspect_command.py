"""``studio inspect``: what is in a model, and is it safe to open."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.session import add_step, run_step
from studio.documents.text_table import count


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "inspect")


def run(arguments: argparse.Namespace) -> int:
    """Inspect and print."""
    return run_step("inspect", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """A model in a few lines."""
    unknown = result.get("macs_unknown")
    lines = [
        ", opset ".join(filter(None, (result["format"], _opsets(result)))),
        f"{result['nodes']:,} nodes, {count(result['parameters'])} parameters, "
        f"{count(result['macs'])} MACs"
        + (f" without {unknown:,} of unknown size" if unknown else "")
        + _assumed(result),
    ]
    for side in ("inputs", "outputs"):
        for value in result[side]:
            shape = " x ".join("?" if d is None else str(d) for d in value["shape"] or [])
            lines.append(f"{side[:-1]:<7} {value['name']}  {value['dtype']}  {shape}")
    lines += [f"{finding['level']}: {finding['text']}" for finding in result["intake"]]
    return lines


def _assumed(result: Mapping[str, Any]) -> str:
    """The sizes that nobody gave, on which the MACs depend."""
    assumed = result.get("assumed_shapes") or {}
    shapes = ", ".join(f"{name}={'x'.join(map(str, shape))}" for name, shape in assumed.items())
    return f" at {shapes} (assumed; --shape gives others)" if shapes else ""


def _opsets(result: Mapping[str, Any]) -> str:
    """Operator sets with their versions; only ONNX has a name for the standard one."""
    opset = result["opset"]
    versions = sorted(opset.items()) if isinstance(opset, Mapping) else [("", opset)]
    standard = "ai.onnx" if result["format"] == "onnx" else ""
    return ", ".join(f"{domain or standard} {version}".strip() for domain, version in versions)
