"""The parser of the command line: its errors name the nearest word, and the command to run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import TypeVar

from studio.documents.toml_text import no_such

_Action = TypeVar("_Action", bound=argparse.Action)

_OTHER_NAMES = {
    "gui": "open", "ui": "open", "window": "open", "optimize": "quantize", "optimise": "quantize",
    "benchmark": "profile", "predict": "call", "infer": "call", "health": "monitor",
}  # fmt: skip
"""Names that other programs give to a command."""


class CommandParser(argparse.ArgumentParser):
    """A parser that refuses a wrong word with the usage of the command that got it."""

    _deferred: Callable[[], None] | None = None

    def defer(self, describe: Callable[[], None]) -> None:
        """Add arguments when they are needed: a verb loads the steps of no other verb."""
        self.complete()
        self._deferred = describe

    def complete(self) -> None:
        """Add the deferred arguments, which stand before those that follow."""
        describe, self._deferred = self._deferred, None
        if describe is not None:
            describe()

    def _add_action(self, action: _Action) -> _Action:
        self.complete()
        return super()._add_action(action)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        self.complete()
        return super().parse_known_args(args, namespace)

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the arguments of a command line, or end the program with exit code 2."""
        arguments, rest = self.parse_known_args(words)
        if rest:
            self._reached(arguments)._refuse(rest)
        return arguments

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        word = str(value)
        if not isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(action, _lines(*no_such(word, action.choices, "value")))
        known = [entry.dest for entry in action._choices_actions]
        reason, *hints = no_such(word, known, "command")
        if action.dest == "command":
            hints = [*self._leads(word)]
            reason = f"unknown command {word!r}." if hints else reason
            hints.append("List all commands: studio --help")
        self.error(_lines(reason, *hints))

    def _leads(self, word: str) -> Iterator[str]:
        """Yield the commands that the user of an unknown command may want."""
        if Path(word).exists():
            yield f"Open the model in the window: studio open {quote(word)}"
        elif word in _OTHER_NAMES:
            yield f"Run: studio {_OTHER_NAMES[word]}"
        parsers = self._verbs().values()
        verbs = [f"{parser.prog} {word}" for parser in parsers if word in parser._verbs()]
        if verbs:
            yield f"Commands with {word!r}: {', '.join(verbs)}"

    def _verbs(self) -> dict[str, CommandParser]:
        """Return the parsers of the commands or verbs, by name."""
        self.complete()
        return {
            name: parser
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)
            for name, parser in action.choices.items()
        }

    def _reached(self, arguments: argparse.Namespace) -> CommandParser:
        """Return the parser of the command, and of the verb, that was given."""
        command = self._verbs()[arguments.command]
        return command._verbs().get(getattr(arguments, "verb", None) or "", command)

    def _refuse(self, rest: Sequence[str]) -> None:
        """End the program because of words that no argument takes."""
        option = next((word.partition("=")[0] for word in rest if word.startswith("-")), "")
        if not option:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        known = [flag for action in self._actions for flag in action.option_strings]
        self.error(_lines(*no_such(option, known, "option")))


def _lines(reason: str, *hints: str) -> str:
    """Return the message of an error, with each hint on a line of its own."""
    return "\n        ".join((reason, *filter(None, hints)))
