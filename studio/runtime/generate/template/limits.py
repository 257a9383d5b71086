"""Bounds of what a template may use, and the error of a template."""

from __future__ import annotations

from typing import NamedTuple


class TemplateError(Exception):
    """A template that cannot be read or rendered, in one sentence."""


class TemplateLimits(NamedTuple):
    """The most that one template may use.

    Attributes:
        source: Characters of the template.
        nested: Constructs of the source within each other.
        calls: Macros that are running within each other.
        steps: Nodes of the tree that are evaluated.
        value: Characters of a text, and of the whole output.
        work: Bytes that all operations together may read and make.
    """

    source: int = 65_536
    nested: int = 60
    calls: int = 32
    steps: int = 400_000
    value: int = 8_388_608
    work: int = 67_108_864


def broken(line: int, text: str) -> TemplateError:
    """Return the error of a line of a template."""
    return TemplateError("Line {} of the chat template: {}.".format(line, text))


class Fault(Exception):
    """A failed operation; the line is added where it is known."""


def shown(value: object, most: int = 60) -> str:
    """Return a text of the template as a short printable one."""
    text = str(value)[: most + 1]
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= most else text[:most] + "..."
