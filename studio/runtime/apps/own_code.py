"""Python files that belong to an app itself, loaded from its bundle."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any, Callable, cast

from .settings import AppError

TYPE = "python"
"""Type of the steps and sinks that are such files."""

OwnFunction = Callable[..., Any]


def load_functions(place: str, path: str, *names: str) -> Callable[[str], OwnFunction]:
    """Load a file, and return a look-up of its functions.

    Args:
        place: The part, for messages, such as ``steps.own``.
        names: Functions that it must have.

    Raises:
        AppError: in one sentence, when it cannot be loaded or lacks a function.
    """
    module_name = "app_" + place.replace("-", "_").replace(".", "_")
    loader = _SourceAlone(module_name, path)
    spec = importlib.util.spec_from_file_location(module_name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise AppError("{}: {} is no Python file.".format(place, path))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's file raises is a sentence for them
        raise AppError(
            "{}: its file fails: {}: {}".format(place, type(error).__name__, error)
        ) from error
    for name in names:
        if not callable(getattr(module, name, None)):
            raise AppError("{}: its file has no function {}.".format(place, name))
    return lambda name: cast("OwnFunction", getattr(module, name, _nothing))


class _SourceAlone(SourceFileLoader):
    """Loads the signed file itself: no compiled file is read, and none is left in the bundle."""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True)


def _nothing(*given: object) -> None:
    """Stands in place of a function that a file may leave out."""
