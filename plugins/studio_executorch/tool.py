"""The conversion of programs of PyTorch to ExecuTorch, in the environment where it lives.

This one file, numpy, torch and executorch alone; nothing of the studio. ``run`` is called as
``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import glob
import logging
import os
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime

Tell = Callable[..., None]
Json = Mapping[str, Any]

_GLUE = ("getitem", "executorch_call_delegate", "alloc", "copy_.default")
"""Nodes of a lowered program that compute nothing."""

_MOST_NAMED = 5


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run one on samples; what goes wrong is in ``error``."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        if request["work"] == "answer":
            _answer(request, tell)
            return {"warnings": []}
        return {"warnings": _convert(request, tell)}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"The model cannot be run or written by ExecuTorch: {_reason(error)}."}


def _convert(request: Json, tell: Tell) -> list[str]:
    tell(0.0, 0.0, "Reading the program")
    program = torch.export.load(request["source"])
    tell(0.0, 0.0, "Lowering to XNNPACK")
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    left = _left(lowered.exported_program().graph.nodes)
    tell(0.0, 0.0, "Writing the program")
    with open(request["output"], "wb") as file:
        lowered.to_executorch().write_to_file(file)
    return _said(left)


def _left(nodes: Sequence[Any]) -> Counter[str]:
    """Count the operators that XNNPACK does not take."""
    names = (_name(node) for node in nodes if node.op == "call_function")
    return Counter(name for name in names if not name.endswith(_GLUE))


def _name(node: Any) -> str:
    return str(getattr(node.target, "__name__", node.target))


def _said(left: Counter[str]) -> list[str]:
    if not left:
        return []
    named = ", ".join(f"{name} ({count})" for name, count in left.most_common(_MOST_NAMED))
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    return [f"XNNPACK does not take these operators, which run on plain kernels: {named}{more}."]


def _answer(request: Json, tell: Tell) -> None:
    method = Runtime.get().load_program(request["source"]).load_method("forward")
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            # A program has no names: the samples are in the order of the model's inputs.
            given = [torch.from_numpy(arrays[name]) for name in arrays.files]
        made = {str(at): one.numpy() for at, one in enumerate(method.execute(given))}
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or ["no reason given"])[0].rstrip(".")
