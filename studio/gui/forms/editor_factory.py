"""The right editor for an option, by its kind."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import Kind, Option
from studio.gui.forms.editors import (
    ChecksEditor,
    ChoiceEditor,
    Choices,
    Editor,
    Entry,
    FlagEditor,
    NumberEditor,
    TextEditor,
)
from studio.gui.forms.path_editor import PathEditor

_PATHS = (Kind.FILE, Kind.FOLDER, Kind.OUTPUT, Kind.DATA)


def make_editor(option: Option, choices: Choices | None = None) -> Editor:
    """The editor that fits an option's kind, and the values that it can have."""
    entries = known_entries(option, choices)
    if entries is not None:
        return ChecksEditor(option, entries) if option.many else ChoiceEditor(option, entries)
    if option.kind is Kind.FLAG:
        return FlagEditor(option)
    if option.kind in (Kind.INTEGER, Kind.NUMBER) and not option.many:
        return NumberEditor(option)
    if option.kind in _PATHS and not option.many:
        return PathEditor(option)
    return TextEditor(option)


def known_entries(option: Option, choices: Choices | None) -> Sequence[Entry] | None:
    """The values to choose from; None where anything may be entered."""
    found = choices.choices(option) if choices is not None else None
    if found is None and option.choices:
        titles = option.choice_titles or option.choices
        return list(zip(option.choices, titles, strict=True))
    return found
