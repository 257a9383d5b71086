"""The run of an ONNX graph under a tracer, which records what depends on the inputs alone.

Used by ``tool_bridge.py``: torch alone; nothing of the studio.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch.utils._python_dispatch import _disable_current_modes

_parts: Any = importlib.import_module("tool_models")
ConversionError: type[Exception] = _parts.ConversionError

_NOTHING: frozenset[str] = frozenset()
_OF_SHAPES = ("Shape", "Size")
"""Operators that read sizes and no values."""

_DATA_DEPENDENT = ("get value out of a tracing tensor", "data-dependent", "DataDependent")
"""Parts of torch's sentences about a size or a branch that follows from a value."""


class TracedRun:
    """A run that computes at once what follows from constants and from sizes.

    The tracer does not see it. So the shape of a Reshape and the branch of an If are known, and
    the traced program has only what remains to be computed.

    Args:
        names: Of the inputs.
        on_value: Called with the name of each value that the tracer sees, and the value.
    """

    def __init__(
        self,
        names: Sequence[str],
        examples: Sequence[Any],
        on_value: Callable[[str, Any], None],
    ) -> None:
        self._on_value = on_value
        self._values: dict[str, Any] = dict(zip(names, examples, strict=True))
        self._depends = {name: frozenset({name}) for name in names}

    def outputs(self, graph: Any) -> list[Any]:
        """Run a graph, or a branch, which reads the values outside of it.

        Raises:
            ConversionError: when a size or a branch follows from the values of inputs.
        """
        self._values.update(graph.constants)
        self._depends.update(dict.fromkeys(graph.constants, _NOTHING))
        for step in graph.steps:
            self._run(step)
        return [self._values[name] for name in graph.outputs]

    def _run(self, step: Any) -> None:
        if step.operator == "If":
            self._branch(step)
            return
        depends = self._of(step.takes)
        is_known = not depends or step.operator in _OF_SHAPES
        if is_known:
            with _disable_current_modes():
                step.run(self._values)
        else:
            with _located(step, depends):
                step.run(self._values)
            for name in step.makes:
                if name in self._values:
                    self._on_value(name, self._values[name])
        self._depends.update(dict.fromkeys(step.makes, _NOTHING if is_known else depends))

    def _branch(self, step: Any) -> None:
        condition = step.takes[0]
        if depends := self._depends[condition]:
            raise ConversionError(_choice(step, depends))
        with _disable_current_modes():
            chosen = step.branch(self._values[condition])
        made = self.outputs(chosen)
        for name, value, inner in zip(step.makes, made, chosen.outputs, strict=True):
            self._values[name] = value
            self._depends[name] = self._depends[inner]

    def _of(self, names: Sequence[str]) -> frozenset[str]:
        return _NOTHING.union(*(self._depends[name] for name in names if name))


@contextlib.contextmanager
def _located(step: Any, depends: frozenset[str]) -> Iterator[None]:
    """Name the node that needs a value which is not known."""
    try:
        yield
    except Exception as error:
        text = f"{type(error).__name__} {error}"
        if any(part in text for part in _DATA_DEPENDENT):
            raise ConversionError(_size(step, depends)) from error
        raise


def _choice(step: Any, depends: frozenset[str]) -> str:
    return (
        f"Its branch {step.name!r} (If) follows from the values of {_listed(depends)}. "
        f"{_remedy(depends)}"
    )


def _size(step: Any, depends: frozenset[str]) -> str:
    return (
        f"A size at {step.name!r} ({step.operator}) follows from the values of "
        f"{_listed(depends)}. {_remedy(depends)}"
    )


def _remedy(depends: frozenset[str]) -> str:
    first = min(depends)
    return (
        "A format with fixed sizes needs them as constants, for example with "
        f"studio edit --edit 'constant {first}=VALUE' --edit fold."
    )


def _listed(names: frozenset[str]) -> str:
    quoted = ", ".join(repr(name) for name in sorted(names))
    return f"the input {quoted}" if len(names) == 1 else f"the inputs {quoted}"
