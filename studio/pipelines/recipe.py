"""A recipe: steps with their options, and gates on their results, as a TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.api import UsageError

_REFERENCE = re.compile(r"\$\{([\w.\-]+)\}")


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """One line of the recipe: an id, the step's name, and its options as written."""

    id: str
    step: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on a result.

    Attributes:
        value: A reference (``${int8.metric.drop}``).
    """

    name: str
    value: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is to be done, in order.

    Attributes:
        folder: Relative paths of the options start here.
    """

    name: str
    title: str
    folder: Path
    steps: tuple[RecipeStep, ...]
    gates: tuple[Gate, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        UsageError: in one sentence that names the file and what is wrong.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a recipe: {error}.") from None
    try:
        return _recipe(table, path)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{path} is not a recipe: {reason}.") from None


def _recipe(table: Mapping[str, Any], path: Path) -> Recipe:
    head = table["recipe"]
    steps = tuple(_step(entry, number) for number, entry in enumerate(table.get("steps", []), 1))
    if not steps:
        raise ValueError("it has no steps")
    ids = [step.id for step in steps]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ValueError(f"two steps are called {twice!r}")
    return Recipe(
        name=str(head["name"]),
        title=str(head.get("title", head["name"])),
        folder=path.absolute().parent,
        steps=steps,
        gates=tuple(_gate(entry) for entry in table.get("gates", [])),
        variables=dict(table.get("vars", {})),
    )


def _step(entry: Mapping[str, Any], number: int) -> RecipeStep:
    name = str(entry["step"])
    options = {key.replace("-", "_"): v for key, v in entry.items() if key not in ("id", "step")}
    return RecipeStep(str(entry.get("id", f"{name}-{number}")), name, options)


def _gate(entry: Mapping[str, Any]) -> Gate:
    if "min" not in entry and "max" not in entry:
        raise ValueError(f"the gate {entry['name']!r} has neither min nor max")
    return Gate(str(entry["name"]), str(entry["value"]), entry.get("min"), entry.get("max"))


def substitute(value: Any, results: Mapping[str, Any]) -> Any:
    """Put results in the place of references.

    A text that is one reference takes the value's own type; inside a longer text it becomes text.

    Raises:
        UsageError: when a reference leads nowhere.
    """
    if isinstance(value, list):
        return [substitute(item, results) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return look_up(whole.group(1), results)
    return _REFERENCE.sub(lambda match: str(look_up(match.group(1), results)), value)


def look_up(dotted: str, results: Mapping[str, Any]) -> Any:
    """The value at a dotted path (``int8.metric.drop``, ``profile.verdicts.0.ratio``)."""
    value: Any = results
    for part in dotted.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise UsageError(f"The recipe refers to ${{{dotted}}}, which is not known.") from None
    return value
