"""Flags of the command line, made from the options of a step."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from studio.api import Kind, Option
from studio.api.options import note_former_name
from studio.cli.parser import CommandParser

_Parser = TypeVar("_Parser", bound=argparse.ArgumentParser)

_FORMER: dict[str, str] = {}
"""Former flags and commands of the parsers that were made, and what they are called now."""

_METAVARS = {
    Kind.INTEGER: "N",
    Kind.NUMBER: "X",
    Kind.FILE: "FILE",
    Kind.FOLDER: "FOLDER",
    Kind.OUTPUT: "OUT",
    Kind.DATA: "DATA",
    Kind.MODEL: "MODEL",
    Kind.TARGET: "NAME",
    Kind.PRESET: "NAME|FILE",
}


def common_flags(default: Any = False) -> CommandParser:
    """Return the flags of every command, as a parent parser."""
    parser = CommandParser(add_help=False)
    for flag, text in (
        ("--json", "print one JSON document"),
        ("--debug", "print tracebacks, details and the full log"),
        ("--no-plugins", "load only built-in plugins (safe mode)"),
    ):
        parser.add_argument(flag, action="store_true", default=default, help=text)
    text = "log details to standard error and to the log file"
    parser.add_argument("-v", "--verbose", action="store_true", default=default, help=text)
    return parser


def add_verbs(
    parser: argparse.ArgumentParser, former: Mapping[str, str] | None = None, /, **verbs: str
) -> dict[str, argparse.ArgumentParser]:
    """Give a command verbs (``studio target add``), each with a help text; their parsers.

    Args:
        former: Former names of verbs, hidden, and what they are called now.
    """
    return _verbs(parser, verbs, required=True, former=former or {})


def add_more_verbs(
    parser: argparse.ArgumentParser, **verbs: str
) -> dict[str, argparse.ArgumentParser]:
    """Add verbs to a command that also runs without a verb (``studio monitor``)."""
    return _verbs(parser, verbs, required=False)


def _verbs(
    parser: argparse.ArgumentParser,
    verbs: Mapping[str, str],
    required: bool,
    former: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, argparse.ArgumentParser]:
    names = "|".join(verbs)
    group = parser.add_subparsers(dest="verb", metavar=names, required=required)
    # SUPPRESS: a verb's own default must not undo a flag that stands before the verb.
    common = common_flags(argparse.SUPPRESS)
    parsers = {
        name: group.add_parser(name, help=text, description=text, parents=[common])
        for name, text in verbs.items()
    }
    for word, name in former.items():
        add_former_command(group, word, name, parsers[name])
    return parsers


def add_former_command(
    group: argparse._SubParsersAction[_Parser], former: str, name: str, parser: _Parser
) -> None:
    """Accept the former name of a command or a verb, which no help shows.

    Args:
        group: What ``add_subparsers`` returned.
    """
    group.choices[former] = parser
    parser.set_defaults(**{group.dest: name})
    _FORMER[former] = name


def add_options(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Add an argument for each option. Values stay texts: ``validate`` checks them all alike."""
    for option in options:
        text = _help(option)
        if option.positional:
            parser.add_argument(
                option.name,
                metavar=_METAVARS.get(option.kind, option.name.upper()),
                nargs=_count(option),
                help=text,
            )
            continue
        if option.kind is Kind.FLAG:
            _add_yes_or_no(parser, option, text)
            continue
        action = parser.add_argument(
            *(option.flag, *option.former_flags),
            dest=option.name,
            metavar=_metavar(option),
            action="append" if option.many else "store",
            help=text,
        )
        hide_former(action, *option.former_flags)


def _add_yes_or_no(parser: argparse.ArgumentParser, option: Option, text: str) -> None:
    """Add ``--flag`` and ``--no-flag``; each former spelling is an argument of its own."""
    for flag in (option.flag, *option.former_flags):
        parser.add_argument(
            flag,
            dest=option.name,
            action=argparse.BooleanOptionalAction,
            default=None,
            help=text if flag == option.flag else argparse.SUPPRESS,
        )
    _FORMER.update(dict.fromkeys(option.former_flags, option.flag))


def hide_former(action: argparse.Action, *former: str) -> None:
    """Hide former spellings of a flag from the help; the parser still accepts them."""
    action.option_strings = [flag for flag in action.option_strings if flag not in former]
    _FORMER.update(dict.fromkeys(former, action.option_strings[0]))


def note_former_words(words: Sequence[str]) -> None:
    """Note in the log that a command line has a former flag or command."""
    plain = [word for word in words if not word.startswith("-")]
    for word in (*plain[:2], *(word.partition("=")[0] for word in words if word.startswith("--"))):
        if word in _FORMER:
            note_former_name(word, _FORMER[word])


def option_values(arguments: argparse.Namespace, options: Iterable[Option]) -> dict[str, Any]:
    """Return the options that the user gave."""
    values = {option.name: _parts(option, getattr(arguments, option.name)) for option in options}
    return {name: value for name, value in values.items() if value not in (None, [])}


def _parts(option: Option, value: Any) -> Any:
    """Several numbers may be given in one word (``--streams 1,2,4``)."""
    if value is None or not option.many or option.kind not in (Kind.INTEGER, Kind.NUMBER):
        return value
    return [part for word in value for part in str(word).split(",") if part]


def _count(option: Option) -> str | None:
    if option.many:
        return "+" if option.required else "*"
    return None if option.required else "?"


def _metavar(option: Option) -> str:
    if option.choices:
        return "|".join((*option.choices, *(["..."] if option.plugins else [])))
    return _METAVARS.get(option.kind, option.name.upper())


def _help(option: Option) -> str:
    text = option.help or option.label
    if option.unit:
        text += f" ({option.unit})"
    if option.default not in (None, "", False, [], ()):
        default = option.default
        shown = ", ".join(map(str, default)) if isinstance(default, list | tuple) else default
        text += f" [default: {shown}]"
    return text.replace("%", "%%")
