"""Intermediate values of a program of PyTorch, under the names of the ONNX model's values.

Used by ``tool.py``: torch alone; nothing of the studio.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch

ONNX = "onnx"
"""Entry of a node's own notes: the values of the ONNX model that it was made of."""

_LINE = re.compile(r'File "([^"]+)", line (\d+)')
_LIBRARY = re.compile(r"[/\\]site-packages[/\\](?:torch|keras)[/\\]")

Places = Callable[[Any], str]


class ProgramValues:
    """The values of a program, computed node by node."""

    def __init__(self, program: Any, of_onnx: bool = False, place: Places | None = None) -> None:
        """Prepare the program.

        Args:
            of_onnx: Whether it was made of an ONNX model. Its nodes then keep the names as notes.
                Else the ONNX model was made of it, with the names of its nodes.
            place: Returns the place of a node in the source.
        """
        self._module = program.module(check_guards=False)
        self._place = place or line
        nodes = [node for node in self._module.graph.nodes if node.op == "call_function"]
        if of_onnx:
            self._nodes = {name: node for node in nodes for name in noted(node)}
        else:
            self._nodes = {str(node.name): node for node in nodes}

    def places(self, names: Sequence[str]) -> dict[str, str]:
        """Return those of the names that are values, each with its place in the source."""
        return {name: self._place(self._nodes[name]) for name in names if name in self._nodes}

    def computed(self, names: Sequence[str], inputs: Sequence[Any]) -> dict[str, Any]:
        """Compute the values of these names that the program has.

        Args:
            inputs: In the order of the program's.
        """
        nodes = {name: self._nodes[name] for name in names if name in self._nodes}
        run = _Run(self._module, set(nodes.values()))
        with torch.no_grad():
            run.run(*inputs, enable_io_processing=False)
        return {name: run.found[node] for name, node in nodes.items() if node in run.found}


class _Run(torch.fx.Interpreter):  # type: ignore[misc]
    """A run that keeps some of its values."""

    def __init__(self, module: Any, wanted: Collection[Any]) -> None:
        super().__init__(module)
        self._wanted = wanted
        self.found: dict[Any, Any] = {}

    def run_node(self, n: Any) -> Any:
        """Compute a node."""
        made = super().run_node(n)
        if n in self._wanted and torch.is_tensor(made):
            # A copy: an operator may write into its input later.
            self.found[n] = made.detach().clone()
        return made


def noted(node: Any) -> list[str]:
    """Return the values of the ONNX model that a node was made of."""
    return [str(name) for name in (node.meta.get("custom") or {}).get(ONNX, [])]


def line(node: Any) -> str:
    """Return the line of the user's code that a node comes from, as ``net.py:41``."""
    lines = _LINE.findall(node.stack_trace or "")
    own = [one for one in lines if not _LIBRARY.search(one[0])] or lines
    return f"{os.path.basename(own[-1][0])}:{own[-1][1]}" if own else ""


def exported(program: Any) -> Any:
    """Return a program as the exporter takes it to pieces, with the names that ONNX gets."""
    made = torch.onnx.export(program, dynamo=True, verbose=False, optimize=False)
    assert made is not None
    return made.exported_program
