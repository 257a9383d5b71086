"""The commands, verbs and flags of the parser, as plain data for completion and the manual."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from studio.cli.parser import CommandParser
from studio.lazy_dataclass import dataclass

_FILES = ("FILE", "FOLDER", "OUT", "DATA", "MODEL", "PATH")


@dataclass(frozen=True, slots=True)
class Argument:
    """A flag or a positional argument.

    Attributes:
        flags: Its spellings; none for a positional argument.
        value: The word for its value in the help; empty for a flag without one.
        choices: The values that are known.
    """

    flags: tuple[str, ...]
    value: str
    help: str
    choices: tuple[str, ...] = ()

    @property
    def takes_file(self) -> bool:
        """Whether its value can be a file or a folder."""
        return any(word in self.value for word in _FILES)


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a verb of one.

    Attributes:
        path: Its words after ``studio``.
    """

    path: tuple[str, ...]
    help: str
    arguments: tuple[Argument, ...]
    verbs: tuple[Command, ...]

    def walk(self) -> Iterator[Command]:
        """Yield it, and everything below it."""
        yield self
        for verb in self.verbs:
            yield from verb.walk()

    @property
    def flags(self) -> list[Argument]:
        """The arguments that begin with a dash."""
        return [one for one in self.arguments if one.flags]

    @property
    def positionals(self) -> list[Argument]:
        """The other ones, in their order."""
        return [one for one in self.arguments if not one.flags]


def command_tree(parser: CommandParser) -> Command:
    """Return what a parser knows; hidden flags are left out."""
    return _command(parser, (), "")


def _command(parser: CommandParser, path: tuple[str, ...], text: str) -> Command:
    arguments: list[Argument] = []
    verbs: list[Command] = []
    parser.complete()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            verbs = [
                _command(action.choices[entry.dest], (*path, entry.dest), entry.help or "")
                for entry in action._choices_actions
            ]
        elif action.help != argparse.SUPPRESS:
            arguments.append(_argument(action))
    return Command(path, text, tuple(arguments), tuple(verbs))


def _argument(action: argparse.Action) -> Argument:
    value = "" if action.nargs == 0 else _value(action)
    choices = tuple(map(str, action.choices or ())) or _listed(value)
    return Argument(tuple(action.option_strings), value, _text(action), choices)


def _value(action: argparse.Action) -> str:
    metavar = action.metavar
    if isinstance(metavar, tuple):
        return " ".join(metavar)
    if metavar is None and action.choices is not None:
        return "|".join(map(str, action.choices))
    return metavar or action.dest.upper()


def _listed(value: str) -> tuple[str, ...]:
    """Return the choices that stand in the word for a value (``small|large|...``)."""
    words = value.split("|")
    if len(words) < 2:
        return ()
    return tuple(word for word in words if word != "..." and not word.isupper())


def _text(action: argparse.Action) -> str:
    return " ".join((action.help or "").replace("%%", "%").split())
