"""The account of one rendering: steps, bytes and depth that are left."""

from __future__ import annotations

from datetime import datetime
from typing import Callable, List, Optional

from .kinds import LISTS, SCALARS, NamedValues, Unset, Value
from .limits import Fault, TemplateLimits


class NameScope:
    """Names of a template, a loop or a macro, within those around it."""

    __slots__ = ("names", "outer")

    def __init__(self, names: NamedValues, outer: Optional[NameScope] = None) -> None:
        self.names = names
        self.outer = outer

    def find(self, name: str) -> Value:
        """Return the value of a name; an ``Unset`` without one."""
        scope: Optional[NameScope] = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return Unset(name)


class Account:
    """State of one rendering: its scope, its output, and what it may still use."""

    __slots__ = ("calls", "clock", "limits", "line", "out", "scope", "steps", "work")

    def __init__(
        self, limits: TemplateLimits, clock: Callable[[], datetime], scope: NameScope
    ) -> None:
        self.limits = limits
        self.clock = clock
        self.scope = scope
        self.steps = limits.steps
        self.work = limits.work
        self.calls = limits.calls
        self.line = 1
        self.out: List[str] = []

    def spend(self, steps: int) -> None:
        """Take steps from the account.

        Raises:
            Fault: when none are left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise Fault("it takes more than {} steps".format(self.limits.steps))

    def charge(self, count: int) -> None:
        """Take bytes of work from the account.

        Raises:
            Fault: when none are left.
        """
        self.work -= count
        if self.work < 0:
            raise Fault("it works on more than {} bytes".format(self.limits.work))

    def room(self, length: int) -> None:
        """Account for a text of a length that is about to be made.

        Raises:
            Fault: when it is too long.
        """
        if length > self.limits.value:
            raise Fault("a value has more than {} characters".format(self.limits.value))
        self.charge(length)

    def write(self, text: str) -> None:
        """Add a text to the output."""
        self.charge(len(text) + 1)
        self.out.append(text)

    def weigh(self, value: Value, indent: int = 0) -> int:
        """Account for a value with all that is in it, as a text; return its length at most.

        Args:
            indent: Characters in front of each part for each level.

        Raises:
            Fault: when it is too large, or not data.
        """
        return _Scale(self, indent).weigh(value, 1)


class _Scale:
    """The sum of a value and of all that is in it."""

    def __init__(self, account: Account, indent: int) -> None:
        self._account = account
        self._indent = indent
        self._sum = 0

    def weigh(self, value: Value, level: int) -> int:
        """Add a value; values that are in it twice count twice."""
        known = type(value)
        if known is str:
            self._add(6 * len(value) + 2, level)
        elif known in SCALARS:
            self._add(24, level)
        elif known in LISTS:
            self._add(4, level)
            for one in value:
                self.weigh(one, level + 1)
        elif known is dict:
            self._add(4, level)
            for key, one in value.items():
                self.weigh(key, level + 1)
                self.weigh(one, level + 1)
        else:
            raise Fault("a function, a namespace or an undefined name is no data")
        return self._sum

    def _add(self, length: int, level: int) -> None:
        length += self._indent * level
        self._sum += length
        self._account.spend(1)
        self._account.charge(length)
        if self._sum > 6 * self._account.limits.value:
            raise Fault("a value is too large")
