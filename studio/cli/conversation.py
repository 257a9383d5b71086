"""A conversation of the command line: its model, its messages, answers as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studio.api import UsageError, validate
from studio.cli.output import print_text
from studio.documents.dataclass_json import from_json
from studio.jobs import JobOutcome
from studio.jobs.options_form import form
from studio.lazy_dataclass import dataclass
from studio.monitoring.chat.results import (
    ASSISTANT,
    SYSTEM,
    USER,
    ChatMessage,
    ChatResult,
    ChatUpdate,
)
from studio.monitoring.chat.step import CHAT, CHAT_SERVED, ChatOptions
from studio.workspace import CHAT_UPDATE, Event, JobMessage, Workspace

_ONLY_HERE = ("threads", "context")


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
        if isinstance(event, JobMessage) and event.name == CHAT_UPDATE:
            update = from_json(ChatUpdate, event.values)
            self._written.append(update.text)
            if not self._quiet:
                print_text(update.text)
