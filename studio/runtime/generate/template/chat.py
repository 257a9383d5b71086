"""Chat templates: a conversation becomes the text that a model continues."""

from __future__ import annotations

from datetime import datetime
from typing import Callable, Mapping, Optional, Sequence

from .account import Account, NameScope
from .calls import FUNCTIONS
from .kinds import FunctionName, NamedValues, Value, Values
from .limits import Fault, TemplateError, TemplateLimits, broken
from .parser import parse
from .statements import run_all

_FUNCTIONS: Mapping[str, FunctionName] = {name: FunctionName(name) for name in FUNCTIONS}
_LIMITS = TemplateLimits()
_LEVELS = 64
"""Levels of lists and dictionaries in what a template is given."""


class ChatTemplate:
    """A template that was read once and renders any number of conversations.

    The language is the part of Jinja that the templates of models use, with the settings of
    ``apply_chat_template`` in transformers.
    """

    def __init__(
        self,
        source: str,
        limits: TemplateLimits = _LIMITS,
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        """Read a template.

        Args:
            clock: Gives the time for ``strftime_now``.

        Raises:
            TemplateError: with the line, when it is too long or cannot be read.
        """
        self._limits = limits
        self._clock = clock
        self._body = parse(source, limits)

    def render(
        self,
        messages: Sequence[Mapping[str, Value]],
        tools: Optional[Sequence[Mapping[str, Value]]] = None,
        add_generation_prompt: bool = True,
        variables: Optional[Mapping[str, Value]] = None,
    ) -> str:
        """Return the text of a conversation.

        Args:
            messages: Plain data: texts, numbers, lists and dictionaries.
            tools: Descriptions of functions, as JSON schemas.
            add_generation_prompt: Whether the text ends with the beginning of an answer.
            variables: Further names, such as ``bos_token``.

        Raises:
            TemplateError: with the line, when the template fails, refuses the conversation, or
                takes more than its limits.
        """
        names: NamedValues = {"documents": None}
        names.update((name, plain(value)) for name, value in (variables or {}).items())
        names["messages"] = plain(messages)
        names["tools"] = plain(tools)
        names["add_generation_prompt"] = bool(add_generation_prompt)
        scope = NameScope({}, NameScope(names, NameScope(dict(_FUNCTIONS))))
        return self._rendered(Account(self._limits, self._clock, scope))

    def _rendered(self, account: Account) -> str:
        try:
            run_all(account, self._body)
            account.room(sum(map(len, account.out)))
            text = "".join(account.out)
            text.encode()
            return text
        except Fault as fault:
            raise broken(account.line, str(fault)) from None
        except RecursionError:
            raise broken(account.line, "it goes too deep into itself") from None
        except UnicodeEncodeError:
            raise TemplateError("The text of the conversation has half a character.") from None
        except ArithmeticError as error:
            raise broken(account.line, str(error)) from None


def plain(value: Value, level: int = 0) -> Value:
    """Return a value as plain data of exact types, such as a template may read.

    Raises:
        TemplateError: when it holds something else, or is too deep.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if level > _LEVELS:
        raise TemplateError("What the chat template is given has more than 64 levels.")
    if isinstance(value, Mapping):
        return {str(key): plain(one, level + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        found: Values = [plain(one, level + 1) for one in value]
        return found
    text = "What the chat template is given holds a value of type {}."
    raise TemplateError(text.format(type(value).__name__))
