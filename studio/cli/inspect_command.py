"""``studio inspect``: what is in a model, and is it safe to open."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.output import count
from studio.cli.session import add_step, run_step


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "inspect")


def run(arguments: argparse.Namespace) -> int:
    """Inspect and print."""
    return run_step("inspect", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """A model in a few lines."""
    opset = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in _opsets(result))
    lines = [
        f"{result['format']}, opset {opset}",
        f"{result['nodes']:,} nodes, {count(result['parameters'])} parameters, "
        f"{count(result['macs'])} MACs",
    ]
    for side in ("inputs", "outputs"):
        for value in result[side]:
            shape = " x ".join("?" if d is None else str(d) for d in value["shape"] or [])
            lines.append(f"{side[:-1]:<7} {value['name']}  {value['dtype']}  {shape}")
    lines += [f"{finding['level']}: {finding['text']}" for finding in result["intake"]]
    return lines


def _opsets(result: Mapping[str, Any]) -> list[tuple[str, Any]]:
    opset = result["opset"]
    return sorted(opset.items()) if isinstance(opset, Mapping) else [("", opset)]
