"""The steps and their commands, found in the text of the files that declare them.

A file named ``step.py`` or ``NAME_step.py`` declares steps as ``NAME: Step[...] = Step(``. It is
read and not imported, as a command needs one step of a hundred.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import studio

_ROOT = Path(studio.__file__).parent
_WITHOUT_STEPS = ("gui", "runtime", "__pycache__")


@functools.cache
def modules() -> Mapping[str, str]:
    """Return the name of the module of each step, in the order of the folders."""
    return {name: module for module, name, _ in _declared()}


def commands() -> Iterator[tuple[str, str]]:
    """Yield the steps that have a command of their name, and what they do."""
    for _, name, body in _declared():
        if "\n    has_command=True," in body:
            yield name, _text_of("summary", body)


@functools.cache
def _declared() -> list[tuple[str, str, str]]:
    """Return the module, the name and the text of each declaration."""
    return [
        (_module(path), _text_of("name", body), body)
        for path in sorted(_files())
        for body in _declarations(path.read_text(encoding="utf-8"))
    ]


def _declarations(text: str) -> list[str]:
    return [part.partition("\n)\n")[0] for part in text.split("] = Step(\n")[1:]]


def _text_of(field: str, body: str) -> str:
    return body.partition(f'{field}="')[2].partition('"')[0]


def _module(path: Path) -> str:
    return ".".join((studio.__name__, *path.relative_to(_ROOT).with_suffix("").parts))


def _files() -> Iterator[Path]:
    for folder, folders, files in os.walk(_ROOT):
        folders[:] = [name for name in folders if name not in _WITHOUT_STEPS]
        yield from (
            Path(folder, name) for name in files if name == "step.py" or name.endswith("_step.py")
        )
