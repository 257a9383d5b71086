"""The reading position in the tokens of a template."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, List

from .limits import TemplateError, TemplateLimits, broken, shown
from .tokens import LAST, NAME, SIGN, TemplateToken


class TokenCursor:
    """Tokens, the position in them, and the depth of constructs.

    Attributes:
        made: Number of nodes so far; statements take the difference as their steps.
    """

    def __init__(self, tokens: List[TemplateToken], limits: TemplateLimits) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._limits = limits
        self.made = 0

    @property
    def now(self) -> TemplateToken:
        """The token that is read next."""
        return self._tokens[self._at]

    @property
    def then(self) -> TemplateToken:
        """The token after the next."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> TemplateToken:
        """Return the next token and go past it; the last is never passed."""
        token = self._tokens[self._at]
        if token.kind != LAST:
            self._at += 1
        return token

    def sees(self, *signs: str) -> bool:
        """Return whether one of some signs is next."""
        return self.now.kind == SIGN and self.now.value in signs

    def names(self, *names: str) -> bool:
        """Return whether one of some names is next."""
        return self.now.kind == NAME and self.now.value in names

    def skip(self, word: str) -> bool:
        """Go past a sign or a name when it is next; return whether it was."""
        found = self.now.kind in (SIGN, NAME) and self.now.value == word
        if found:
            self.take()
        return found

    def expect(self, word: str) -> None:
        """Go past a sign or a name.

        Raises:
            TemplateError: when another is next.
        """
        if not self.skip(word):
            raise self.error("{!r} is missing before {}".format(word, self._next()))

    def name(self) -> str:
        """Return the name that is next and go past it.

        Raises:
            TemplateError: when something else is next.
        """
        if self.now.kind != NAME:
            raise self.error("a name is missing before {}".format(self._next()))
        return str(self.take().value)

    def error(self, text: str) -> TemplateError:
        """Return the error of this position."""
        return broken(self.now.line, text)

    def unexpected(self) -> TemplateError:
        """Return the error of a token that has no place here."""
        return self.error("{} has no place here".format(self._next()))

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Count one level of the source, for as long as the block takes.

        Raises:
            TemplateError: when there are too many.
        """
        self._depth += 1
        if self._depth > self._limits.nested:
            text = "more than {} constructs are within each other"
            raise self.error(text.format(self._limits.nested))
        yield
        self._depth -= 1

    def _next(self) -> str:
        token = self.now
        if token.kind in (SIGN, NAME):
            return repr(shown(token.value, 20))
        return "the end" if token.kind in (LAST, "end") else "a {}".format(token.kind)
