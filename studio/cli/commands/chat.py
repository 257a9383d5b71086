"""``studio chat``: a conversation with a language model, in one question or on a terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.cli.conversation import ChatSubject, Conversation, subject_of
from studio.cli.flags import add_options, option_values
from studio.cli.output import fail_job, print_json, print_note, print_text
from studio.cli.session import workspace
from studio.jobs import JobOutcome
from studio.monitoring.chat.results import ChatResult
from studio.monitoring.chat.saved_test import CHECKS, EXACT, ExpectedAnswer, save_test
from studio.monitoring.chat.step import CHAT
from studio.monitoring.chat.texts import figures
from studio.workspace import Workspace

_OWN = ("prompt", "model")
"""Options of the step that are no flags here."""

_CHECKS = [one for one in CHECKS if one != "json"]
"""Without ``json``, whose schema is in the window's form."""

_LONGEST_PROMPT = 1 << 20


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
