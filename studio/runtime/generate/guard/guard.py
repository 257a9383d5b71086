"""The guard of a language model: its rules applied to prompts, and to answers as they come."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Optional, Sequence

from ..request import Constraint
from ..schema.constraint import constraint_of
from .rules import ANSWERS, PROMPTS, GuardRule, read_rules
from .search import AnswerSearch

_REFUSED = "The prompt is refused by the rule {!r} of this server."
_WITHHELD = "The answer is withheld by the rule {!r} of this server."

_USUAL = frozenset(
    (
        *("role", "content", "name", "tool_call_id", "tool_calls", "function", "arguments"),
        *("type", "id", "system", "developer", "user", "assistant", "tool", "description"),
        *("parameters", "properties", "required", "items", "enum", "const", "strict", "object"),
        *("array", "string", "number", "integer", "boolean", "null", "additionalProperties"),
        *("anyOf", "oneOf"),
    )
)


class Guard:
    """Rules for the prompts and answers of a model.

    Attributes:
        rules: In their order.
        holds_answers: Answers may be cut, so they are held while they might have to be.
    """

    def __init__(self, rules: Sequence[GuardRule]) -> None:
        self.rules = tuple(rules)
        # Lengths first: what is too long need not be searched.
        self._of_prompts = [one for one in rules if one.on != ANSWERS]
        self._of_answers = [one for one in rules if one.on != PROMPTS]
        self.holds_answers = any(one.refuses for one in self._of_answers)
        self._schema = next((o.schema for o in self._of_answers if o.schema and o.refuses), None)

    @classmethod
    def of(cls, content: object) -> Guard:
        """Return the guard of a document.

        Raises:
            GuardError: with the place of the mistake.
        """
        rules = read_rules(content)
        return cls(sorted(rules, key=lambda one: not one.is_cheap))

    def refusal_of(self, text: str) -> Optional[str]:
        """Count the rules that a prompt breaks; return why it is refused, or None.

        Rules behind one that refuses are not looked at.
        """
        for rule in self._of_prompts:
            if rule.is_broken_by(text):
                rule.count(answer=False)
                if rule.refuses:
                    return rule.message or _REFUSED.format(rule.name)
        return None

    def filter(self) -> Optional[AnswerFilter]:
        """Return the filter of one answer; None where no rule is for answers."""
        return AnswerFilter(self._of_answers) if self._of_answers else None

    def constraint(self) -> Optional[Constraint]:
        """Return the rule for the tokens of one answer, where its form is prescribed."""
        return constraint_of(self._schema) if self._schema is not None else None

    def status(self) -> List[Dict[str, object]]:
        """Return its rules with their counts as plain data."""
        return [rule.status() for rule in self.rules]


class AnswerFilter:
    """A filter of one answer: text comes out when no rule can be broken by it any more.

    Attributes:
        blocked: The rule that cut the answer; None while there is none.
    """

    def __init__(self, rules: Sequence[GuardRule]) -> None:
        self._open: List[tuple[GuardRule, AnswerSearch]] = [(one, one.search()) for one in rules]
        self._held = ""
        self._passed = 0
        self.blocked: Optional[GuardRule] = None

    @property
    def why(self) -> str:
        """Why the answer was cut; empty while it was not."""
        rule = self.blocked
        return "" if rule is None else rule.message or _WITHHELD.format(rule.name)

    def add(self, text: str) -> str:
        """Return the text that may be sent after more of the answer."""
        if not text or self.blocked is not None:
            return ""
        self._held += text
        for _, search in self._open:
            search.add(text)
        return self._pass()

    def end(self, whole: bool = True) -> str:
        """Return the text that may be sent at the end of the answer.

        Args:
            whole: The model ended it, and it was not cut.
        """
        if self.blocked is not None:
            return ""
        for _, search in self._open:
            search.end(whole)
        return self._pass()

    def _pass(self) -> str:
        for rule, search in tuple(self._open):
            if search.matched:
                rule.count(answer=True)
                if not rule.refuses:
                    self._open.remove((rule, search))
                elif self.blocked is None:
                    self.blocked = rule
        end = self._passed + len(self._held)
        safe = min((s.safe for rule, s in self._open if rule.refuses), default=end)
        count = max(0, safe - self._passed)
        text, self._held = self._held[:count], self._held[count:]
        self._passed += count
        if self.blocked is not None:
            self._held = ""
        return text


def texts_of(*parts: object) -> Iterator[str]:
    """Yield the texts of messages, tools and variables, at any depth and with unusual keys.

    Left out are the words of the interface and of JSON Schema, which every request has.
    """
    stack: List[object] = list(reversed(parts))
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            if one not in _USUAL:
                yield one
        elif isinstance(one, Mapping):
            stack.extend(reversed([part for pair in one.items() for part in pair]))
        elif isinstance(one, (list, tuple)):
            stack.extend(reversed(one))
