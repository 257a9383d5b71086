"""Flags of the command line, made from the options of a step."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from studio.api import Kind, Option
from studio.cli.parser import CommandParser

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


def add_verbs(parser: argparse.ArgumentParser, **verbs: str) -> dict[str, argparse.ArgumentParser]:
    """Give a command verbs (``studio target add``), each with a help text; their parsers."""
    return _verbs(parser, verbs, required=True)


def add_more_verbs(
    parser: argparse.ArgumentParser, **verbs: str
) -> dict[str, argparse.ArgumentParser]:
    """Add verbs to a command that also runs without a verb (``studio monitor``)."""
    return _verbs(parser, verbs, required=False)


def _verbs(
    parser: argparse.ArgumentParser, verbs: Mapping[str, str], required: bool
) -> dict[str, argparse.ArgumentParser]:
    if isinstance(parser, CommandParser):
        parser.complete()  # arguments of the command stand before its verb
    names = "|".join(verbs)
    group = parser.add_subparsers(dest="verb", metavar=names, required=required)
    # SUPPRESS: a verb's own default must not undo a flag that stands before the verb.
    common = common_flags(argparse.SUPPRESS)
    return {
        name: group.add_parser(name, help=text, description=text, parents=[common])
        for name, text in verbs.items()
    }


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
            parser.add_argument(
                option.flag,
                dest=option.name,
                action=argparse.BooleanOptionalAction,
                default=None,
                help=text,
            )
            continue
        parser.add_argument(
            option.flag,
            dest=option.name,
            metavar=_metavar(option),
            action="append" if option.many else "store",
            help=text,
        )


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
