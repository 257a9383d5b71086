"""What every capability must declare, whatever it does: checked without running any of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studio.api.brokers.states import StateSource
from studio.api.chips import ChipCompiler
from studio.api.graph import Graph, Initializer, Model, Node, TensorType, Value
from studio.api.intake import Finding
from studio.api.platforms import Platform
from studio.api.plugin import Extension
from studio.api.ports import (
    Analyzer,
    Backend,
    Check,
    Connector,
    Converter,
    Format,
    Metric,
    ModelRegistry,
    Monitor,
    Packager,
    Transform,
)
from studio.api.sheets import GROUPS, DeploySheet
from studio.api.tasks.executors import Executor
from studio.api.testing import check_options
from studio.api.toolchains import TextToolchain

_PROTOCOLS: Mapping[Extension, type] = {
    Extension.FORMAT: Format,
    Extension.ANALYZER: Analyzer,
    Extension.TRANSFORM: Transform,
    Extension.BACKEND: Backend,
    Extension.TEXT_BACKEND: TextToolchain,
    Extension.PACKAGER: Packager,
    Extension.TARGET: Connector,
    Extension.PLATFORM: Platform,
    Extension.MONITOR: Monitor,
    Extension.REGISTRY: ModelRegistry,
    Extension.STATE: StateSource,
    Extension.EXECUTOR: Executor,
    Extension.METRIC: Metric,
    Extension.CONVERTER: Converter,
    Extension.COMPILER: ChipCompiler,
    Extension.CHECK: Check,
}

MOST_ASKED = 8
"""Limit of the visible options of a sheet; the others are ``advanced``."""


def check_declaration(
    extension: Extension, made: object, identifier: str, extra: Mapping[str, Any] | None = None
) -> None:
    """A capability has all that its Protocol names, with sense in it.

    Args:
        made: What its factory returned.
        identifier: Its id in the manifest.
        extra: The manifest's other keys; what they say of schemes and suffixes must be so.
    """
    protocol = _PROTOCOLS[extension]
    for name in protocol.__annotations__:
        assert hasattr(made, name), f"it has no attribute {name!r}"
    for name, wanted in _methods(protocol).items():
        _check_method(made, name, wanted)
    assert vars_of(made, "id") == identifier, f"its id is {vars_of(made, 'id')!r}"
    assert str(vars_of(made, "title")).strip(), "its title is empty"
    for name in ("options", "deploy_options"):
        check_options(getattr(made, name, ()))
    for name in ("schemes", "suffixes", "sources"):
        told = (extra or {}).get(name)
        own = tuple(getattr(made, name, ()))
        assert told is None or tuple(told) == own, f"its {name} are {own}, the manifest's {told}"
        assert not hasattr(protocol, name) or own, f"it has no {name}"


def check_sheet(sheet: object, extra: Mapping[str, Any]) -> None:
    """Check that a sheet of the Deploy page asks for little, and names its targets."""
    assert isinstance(sheet, DeploySheet), "it is no studio.api.sheets.DeploySheet"
    assert extra.get("schemes"), "the manifest names no schemes"
    group = extra.get("group")
    assert group in (None, *GROUPS), f"its group {group!r} is not one of {', '.join(GROUPS)}"
    for name in ("place_options", "deploy_options"):
        options = getattr(sheet, name)
        check_options(options)
        seen = sum(not option.advanced for option in options)
        assert seen <= MOST_ASKED, f"{name} shows {seen} options; most people need {MOST_ASKED}"


def check_analyzer(analyzer: Analyzer) -> Mapping[str, float]:
    """An analyzer gives finite numbers for nodes that exist."""
    graph = small_model().graph
    found = dict(analyzer.analyze(graph))
    names = {node.name for node in graph.nodes}
    assert set(found) <= names, f"there are no nodes {sorted(set(found) - names)}"
    for name, number in found.items():
        assert isinstance(number, int | float), f"{name} has {number!r}, which is no number"
        assert abs(number) < float("inf"), f"{name} has {number!r}"
    return found


def check_rule(rule: Check) -> Sequence[Finding]:
    """A check of models looks at one without facts, and gives findings."""
    found = list(rule.check(small_model(), {}))
    assert all(isinstance(one, Finding) for one in found), "a check gives studio.api.Finding"
    assert all(one.code and one.text for one in found), "a finding has a code and a sentence"
    return found


def small_model() -> Model:
    """A convolution and an activation, without weights: enough for what reads graphs."""
    image, inner = TensorType("float32", (1, 3, 8, 8)), TensorType("float32", (1, 4, 8, 8))
    weights = Initializer("w", TensorType("float32", (4, 3, 3, 3)), 432)
    nodes = (
        Node("conv", "Conv", ("x", "w"), ("c",), attributes={"pads": (1, 1, 1, 1)}),
        Node("relu", "Relu", ("c",), ("y",)),
    )
    values = {"x": image, "c": inner, "y": inner}
    outputs = (Value("y", inner),)
    graph = Graph("small", (Value("x", image),), outputs, nodes, {"w": weights}, values)
    return Model("onnx", graph, {"": 17}, 8)


def vars_of(made: object, name: str) -> Any:
    """An attribute of a capability; None where it has none."""
    return getattr(made, name, None)


def _methods(protocol: type) -> dict[str, Callable[..., Any]]:
    return {
        name: value
        for name, value in vars(protocol).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


def _check_method(made: object, name: str, wanted: Callable[..., Any]) -> None:
    """The method takes what the studio is going to give it."""
    method = getattr(made, name, None)
    assert callable(method), f"it has no method {name!r}"
    parameters = list(inspect.signature(wanted).parameters.values())[1:]
    # Optional ones came later: a capability may do without those that are given by name.
    parameters = [one for one in parameters if one.kind is not one.KEYWORD_ONLY]
    try:
        inspect.signature(method).bind(*(None for _ in parameters))
    except TypeError as error:
        raise AssertionError(f"{name}() does not take what the contract gives: {error}") from None
    except ValueError:
        return  # a builtin without a signature
