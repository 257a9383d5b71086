"""The manual page, in the language of troff's ``man`` macros."""

from __future__ import annotations

from collections.abc import Iterable

import studio
from studio.cli.shell.tree import Argument, Command

_COMMON = ("--help", "--json", "--debug", "--no-plugins", "--verbose")
"""Flags of every command, which are described once."""

_FILES = (
    ("~/.config/edgewright", "Settings and plugins."),
    ("~/.local/share/edgewright", "Registry, models, logs and environments of backends."),
    ("~/.cache/edgewright", "Cached downloads."),
)


_BREAK = "\\:"
"""A place for a line to be broken without a hyphen."""


def manual(root: Command, description: str, exit_codes: str) -> str:
    """Return the page.

    Args:
        root: All commands.
        exit_codes: Sentences about them, separated by semicolons.
    """
    lines = [
        f'.TH STUDIO 1 "" "Edgewright {studio.__version__}" "User Commands"',
        ".SH NAME",
        "studio \\- inspect, quantize, profile, deploy and monitor AI models",
        ".SH SYNOPSIS",
        ".B studio",
        "[\\fICOMMAND\\fR] [\\fIARGUMENT\\fR ...]",
        ".SH DESCRIPTION",
        _text(description),
        "Without a command, the window opens.",
        ".SH OPTIONS OF EVERY COMMAND",
        *_options(_common(root)),
        ".SH COMMANDS",
    ]
    for command in root.verbs:
        for one in command.walk():
            lines += _command(one)
    return "\n".join([*lines, *_end(exit_codes), ""])


def _common(root: Command) -> list[Argument]:
    first = root.verbs[0]
    return [one for one in first.flags if set(one.flags) & set(_COMMON)]


def _command(command: Command) -> list[str]:
    own = [one for one in command.arguments if not set(one.flags) & set(_COMMON)]
    usage = " ".join(f"\\fI{_text(one.value)}\\fR" for one in command.positionals)
    verbs = "|".join(verb.path[-1] for verb in command.verbs)
    words = " ".join(part for part in (*command.path, f"\\fI{verbs}\\fR" if verbs else "") if part)
    heading = f".SS studio {words} {usage}".rstrip()
    summary = command.help[:1].upper() + command.help[1:].rstrip(".") + "."
    return [heading, _text(summary), *_options(own)]


def _options(arguments: Iterable[Argument]) -> list[str]:
    lines = []
    for one in arguments:
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in one.flags)
        # A long list of choices may be broken behind each of them.
        value = f"\\fI{_text(one.value).replace('|', '|' + _BREAK)}\\fR" if one.value else ""
        lines += [".TP", " ".join(part for part in (names, value) if part), _text(one.help)]
    return lines


def _end(exit_codes: str) -> list[str]:
    lines = [".SH EXIT STATUS"]
    for row in exit_codes.split(";"):
        number, _, meaning = row.strip().partition(" ")
        lines += [".TP", number, _text(meaning.capitalize() + ".")]
    lines += [".SH ENVIRONMENT", ".TP", "EDGEWRIGHT_HOME"]
    lines += ["Folder for data, settings and caches.", ".SH FILES"]
    for place, meaning in _FILES:
        lines += [".TP", _text(place), meaning]
    return lines


def _text(text: str) -> str:
    """Return a text that troff takes for nothing else."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    safe = safe.replace("'", "\\(aq").replace("^", "\\(ha").replace("`", "\\(ga")
    return f"\\&{safe}" if safe[:1] in (".", "'") else safe
