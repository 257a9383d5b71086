"""The catalogue of steps: everything that can be done, by name."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from studio.api import UsageError
from studio.documents.toml_text import no_such
from studio.jobs.step import AnyStep, Step
from studio.steps.step_files import modules


class _Catalogue(Mapping[str, AnyStep]):
    """Every step by its name; a step's module is imported when the step is read."""

    def __getitem__(self, name: str) -> AnyStep:
        return _declared(modules()[name])[name]

    def __contains__(self, name: object) -> bool:
        return name in modules()

    def __iter__(self) -> Iterator[str]:
        return iter(modules())

    def __len__(self) -> int:
        return len(modules())


@functools.cache
def _declared(module: str) -> Mapping[str, AnyStep]:
    values = vars(importlib.import_module(module)).values()
    return {value.name: value for value in values if isinstance(value, Step)}


@functools.cache
def steps() -> Mapping[str, AnyStep]:
    """Return every step by its name."""
    return _Catalogue()


def parent_imports(names: Iterable[str]) -> tuple[Callable[[], object], ...]:
    """Return the imports of what some steps do in the parent, which their first start would do."""
    return tuple(functools.partial(_import_parent, name) for name in names if name in steps())


def _import_parent(name: str) -> None:
    for word in (steps()[name].prepare, steps()[name].record):
        if word:
            importlib.import_module(word.partition(":")[0])


def step(name: str) -> AnyStep:
    """Return a step by its name.

    Raises:
        UsageError: when no step has this name.
    """
    try:
        return steps()[name]
    except KeyError:
        reason, hint = no_such(name, steps(), "step")
        raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=hint) from None
