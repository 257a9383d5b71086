"""The bench's runner for LiteRT: this one file, numpy and ai-edge-litert alone, Python 3.8.

The contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import os
from importlib import metadata
from typing import Any, Callable, Mapping

import numpy
from ai_edge_litert.interpreter import Interpreter


def load(path: str, options: Mapping[str, Any]) -> LiteRtRunner:
    """Load a TFLite model.

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: one for each core), ``shapes`` (by input).

    Raises:
        ValueError: when the runtime refuses it.
    """
    return LiteRtRunner(path, options)


class LiteRtRunner:
    """Runner with one LiteRT interpreter."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        self._threads = int(options.get("threads") or os.cpu_count() or 1)
        self._interpreter = Interpreter(model_path=path, num_threads=self._threads)
        shapes = options.get("shapes") or {}
        for each in self._interpreter.get_input_details():
            if each["name"] in shapes:
                self._interpreter.resize_tensor_input(each["index"], shapes[each["name"]])
        self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    def inputs(self) -> list[dict[str, Any]]:
        """Name, numpy type and declared shape of each input."""
        return [
            {
                "name": each["name"],
                "dtype": numpy.dtype(each["dtype"]).name,
                "shape": [int(size) if size >= 0 else None for size in _declared(each)],
            }
            for each in self._inputs
        ]

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Run once; the outputs are copies."""
        self._feed(feeds)
        self._interpreter.invoke()
        return {one["name"]: self._interpreter.get_tensor(one["index"]) for one in self._outputs}

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the timed call: one inference on inputs in the interpreter's tensors."""
        self._feed(feeds)
        invoke: Callable[[], Any] = self._interpreter.invoke
        return invoke

    def describe(self) -> dict[str, Any]:
        """Return the effective settings; LiteRT computes in the model's types."""
        return {
            "runtime": "litert",
            "version": metadata.version("ai-edge-litert"),
            "device": "cpu",
            "providers": [],
            "precision": "as in the model",
            "threads": self._threads,
            "outputs": [str(each["name"]) for each in self._outputs],
        }

    def operators(self, feeds: Mapping[str, Any], runs: int) -> list[dict[str, Any]]:
        """Return no times: the Python package does not profile operators."""
        return []

    def close(self) -> None:
        """Free the interpreter."""
        del self._interpreter

    def _feed(self, feeds: Mapping[str, Any]) -> None:
        wanted = {each["name"]: list(feeds[each["name"]].shape) for each in self._inputs}
        if any(wanted[each["name"]] != list(each["shape"]) for each in self._inputs):
            for each in self._inputs:
                self._interpreter.resize_tensor_input(each["index"], wanted[each["name"]])
            self._interpreter.allocate_tensors()
            self._inputs = self._interpreter.get_input_details()
        for each in self._inputs:
            self._interpreter.set_tensor(each["index"], feeds[each["name"]])


def _declared(each: Mapping[str, Any]) -> Any:
    """Return the shape with -1 for dynamic sizes, where the model declares them."""
    signature = each.get("shape_signature")
    return signature if signature is not None and len(signature) else each["shape"]
