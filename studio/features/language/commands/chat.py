"""``studio chat``: a conversation with a language model, in one question or on a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from studio.api import StudioError, UsageError, validate
from studio.cli.flags import add_options, option_values
from studio.cli.output import fail_job, print_json, print_note, print_text
from studio.cli.session import workspace
from studio.documents.dataclass_json import from_json
from studio.features.language.chat.lines import UPDATE
from studio.features.language.chat.results import (
    ASSISTANT,
    SYSTEM,
    USER,
    ChatMessage,
    ChatResult,
    ChatUpdate,
)
from studio.features.language.chat.saved_test import CHECKS, EXACT, ExpectedAnswer, save_test
from studio.features.language.chat.step import CHAT, CHAT_SERVED, ChatOptions
from studio.features.language.chat.texts import figures
from studio.jobs import JobOutcome
from studio.jobs.options_form import form
from studio.lazy_dataclass import dataclass
from studio.workspace import Event, JobMessage, Workspace

_OWN = ("prompt", "model")
"""Options of the step that are no flags here."""

_CHECKS = [one for one in CHECKS if one != "json"]
"""Without ``json``, whose schema is in the window's form."""

_LONGEST_PROMPT = 1 << 20
_ONLY_HERE = ("threads", "context")


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", metavar="MODEL|TARGET", help="language model or target name")
    parser.add_argument(
        "prompt",
        nargs="?",
        help="message to the model [default: a conversation on the terminal, else standard input]",
    )
    add_options(parser, [one for one in CHAT.form if one.name not in _OWN])
    parser.add_argument(
        "--save-test",
        metavar="FILE",
        help="add the conversation to this task set (.jsonl) for evaluations",
    )
    parser.add_argument(
        "--check",
        choices=_CHECKS,
        metavar="|".join(_CHECKS),
        default=EXACT,
        help="what makes an answer of the saved test right [default: exact]",
    )
    parser.add_argument(
        "--expect",
        metavar="TEXT",
        help="right answer or pattern of the saved test [default: the answer of the model]",
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask once, or talk until the end of the input."""
    prompt = arguments.prompt
    if prompt is None and not sys.stdin.isatty():
        prompt = sys.stdin.read(_LONGEST_PROMPT)
    if prompt is None and arguments.json:
        raise UsageError("--json needs a message to the model.")
    with workspace() as opened:
        options = [one for one in CHAT.form if one.name not in _OWN]
        subject = subject_of(opened, arguments.model, option_values(arguments, options))
        if prompt is not None:
            return _ask_once(opened, subject, prompt, arguments)
        return _talk(Conversation(opened, subject), arguments)


def _ask_once(
    opened: Workspace, subject: ChatSubject, prompt: str, arguments: argparse.Namespace
) -> int:
    talk = Conversation(opened, subject, quiet=arguments.json)
    try:
        outcome = talk.ask(prompt)
    except KeyboardInterrupt:
        return 130
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    if arguments.json:
        print_json(outcome.document)
    else:
        _print_figures(outcome)
    _save(talk, arguments)
    return 0


def _talk(talk: Conversation, arguments: argparse.Namespace) -> int:
    """Ask for messages until Ctrl+D; a failure ends only its answer."""
    print_note(f"Chat with {talk.subject.title}. Ctrl+C ends an answer, Ctrl+D the chat.")
    while True:
        try:
            prompt = input("> ")
        except EOFError:
            print_text("\n")
            break
        except KeyboardInterrupt:
            print_text("\n")
            continue
        if prompt.strip():
            _turn(talk, prompt, arguments)
    if talk.messages:
        _save(talk, arguments)
    return 0


def _turn(talk: Conversation, prompt: str, arguments: argparse.Namespace) -> None:
    try:
        outcome = talk.ask(prompt)
    except KeyboardInterrupt:
        print_text("\n")
        print_note("The answer was stopped.")
        return
    except StudioError as error:
        print_note(f"studio: {error.message}")
        return
    if outcome.ok:
        _print_figures(outcome)
    else:
        fail_job(outcome, as_json=False, debug=arguments.debug)


def _print_figures(outcome: JobOutcome) -> None:
    result = outcome.result
    assert isinstance(result, ChatResult)
    print_text("\n")
    print_note(figures(result.answer))


def _save(talk: Conversation, arguments: argparse.Namespace) -> None:
    if not arguments.save_test:
        return
    text = arguments.expect if arguments.expect is not None else talk.last_answer
    expected = ExpectedAnswer(arguments.check, text, limit=talk.limit)
    path = Path(arguments.save_test).expanduser()
    number = save_test(path, talk.messages, expected)
    print_note(f"Saved as test {number} in {path}.")


@dataclass(frozen=True, slots=True)
class ChatSubject:
    """The model or the target of a chat, and the options of each question.

    Attributes:
        options: As they were given, with the model or the target among them.
        first: The options that do not depend on the model, checked.
    """

    step: str
    title: str
    options: Mapping[str, object]
    first: ChatOptions


def subject_of(opened: Workspace, text: str, options: Mapping[str, object]) -> ChatSubject:
    """Return the subject of a name: a file or folder, a target, or a model of the registry.

    Raises:
        UsageError: when an option does not go with a target, or the model is not known.
    """
    common = {name: value for name, value in options.items() if name not in _ONLY_HERE}
    checked = validate(form(ChatOptions), {**common, "prompt": text})
    first = from_json(ChatOptions, checked)
    is_path = Path(text).expanduser().exists()
    if is_path or text not in {one.name for one in opened.registry.targets()}:
        return ChatSubject(CHAT.name, text, {"model": text, **options}, first)
    given = [name for name in _ONLY_HERE if name in options]
    if given:
        raise UsageError(
            f"--{given[0]} is for models on this computer.",
            hint=f"{text} was deployed with its own settings.",
        )
    return ChatSubject(CHAT_SERVED.name, text, {"target": text, **options}, first)


class Conversation:
    """The messages so far.

    Args:
        quiet: Whether answers are not printed while they are written.
    """

    def __init__(self, opened: Workspace, subject: ChatSubject, quiet: bool = False) -> None:
        self.subject = subject
        self._opened = opened
        self._turns = list(subject.first.history)
        self._written: list[str] = []
        self._quiet = quiet
        opened.events.subscribe(self._listen)

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """All messages, the system's first."""
        system = self.subject.first.system
        first = [ChatMessage(SYSTEM, system)] if system else []
        roles = (USER, ASSISTANT)
        turns = [ChatMessage(roles[n % 2], text) for n, text in enumerate(self._turns)]
        return (*first, *turns)

    @property
    def last_answer(self) -> str:
        """The last answer of the model; empty without one."""
        return self._turns[-1] if self._turns else ""

    @property
    def limit(self) -> int:
        """Most tokens of an answer."""
        return self.subject.first.tokens

    def ask(self, prompt: str) -> JobOutcome:
        """Ask and wait for the answer, which is printed as it arrives.

        Raises:
            KeyboardInterrupt: after the answer was stopped; what there is of it is kept.
            StudioError: when an option does not fit.
        """
        self._written.clear()
        given = {**self.subject.options, "history": tuple(self._turns), "prompt": prompt}
        try:
            outcome = self._opened.run(self.subject.step, **given)
        except KeyboardInterrupt:
            self._turns += [prompt, "".join(self._written)] if self._written else []
            raise
        if outcome.ok and isinstance(outcome.result, ChatResult):
            self._turns += [prompt, outcome.result.answer.text]
        return outcome

    def _listen(self, event: Event) -> None:
        if isinstance(event, JobMessage) and event.name == UPDATE:
            update = from_json(ChatUpdate, event.values)
            self._written.append(update.text)
            if not self._quiet:
                print_text(update.text)
