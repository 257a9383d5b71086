"""The statements of a template: texts, printed values, assignments, loops and macros."""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple

from .account import Account, NameScope
from .calls import Callee
from .filters import Filter
from .kinds import NamedValues, Space, Unset, Value, Values
from .limits import Fault
from .loop import LoopState
from .nodes import Node
from .values import items_of, text_of

GO, BREAK, CONTINUE = 0, 1, 2
"""What a statement wants of the loop around it."""


class Statement:
    """A tag or a text, which writes, assigns or chooses."""

    __slots__ = ()

    def run(self, account: Account) -> int:
        """Run it; return what it wants of the loop around it.

        Raises:
            Fault: when it fails, or an account is used up.
        """
        raise NotImplementedError


Body = Sequence[Statement]


class SourceLine(NamedTuple):
    """The line of a statement, and the steps that its expressions take."""

    line: int
    steps: int


def run_all(account: Account, body: Body) -> int:
    """Run statements up to one that ends the round of a loop."""
    for statement in body:
        wanted = statement.run(account)
        if wanted:
            return wanted
    return GO


def captured(account: Account, body: Body, names: NamedValues, outer: NameScope) -> str:
    """Return what statements write, in a scope of their own."""
    scope, out = account.scope, account.out
    account.scope, account.out = NameScope(names, outer), []
    try:
        run_all(account, body)
        account.room(sum(map(len, account.out)))
        return "".join(account.out)
    finally:
        account.scope, account.out = scope, out


class Written(Statement):
    """A text between tags."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def run(self, account: Account) -> int:
        """Write the text."""
        account.spend(1)
        account.write(self._text)
        return GO


class PrintedValue(Statement):
    """An expression whose value is written."""

    __slots__ = ("_node", "_place")

    def __init__(self, place: SourceLine, node: Node) -> None:
        self._place = place
        self._node = node

    def run(self, account: Account) -> int:
        """Write the value."""
        account.line = self._place.line
        account.spend(self._place.steps)
        value = self._node.value(account)
        account.write(value if type(value) is str else text_of(account, value))
        return GO


class Target(NamedTuple):
    """Names that a value is given to: one, several, or one in a namespace."""

    names: Tuple[str, ...]
    several: bool = False
    inner: str = ""

    def assign(self, account: Account, value: Value) -> None:
        """Give the value to the names.

        Raises:
            Fault: when it has not as many parts as there are names.
        """
        if self.inner:
            space = account.scope.find(self.names[0])
            if type(space) is not Space:
                raise Fault("{!a} is no namespace".format(self.names[0]))
            space.names[self.inner] = value
        elif not self.several:
            account.scope.names[self.names[0]] = value
        else:
            parts = items_of(account, value)
            if len(parts) != len(self.names):
                form = "{} names are given {} values"
                raise Fault(form.format(len(self.names), len(parts)))
            account.scope.names.update(zip(self.names, parts))


class Assigned(Statement):
    """A value that is given to names."""

    __slots__ = ("_node", "_place", "_target")

    def __init__(self, place: SourceLine, target: Target, node: Node) -> None:
        self._place = place
        self._target = target
        self._node = node

    def run(self, account: Account) -> int:
        """Give the value to the names."""
        account.line = self._place.line
        account.spend(self._place.steps)
        self._target.assign(account, self._node.value(account))
        return GO


class Captured(Statement):
    """The text of statements, given to a name or written, with filters between."""

    __slots__ = ("_body", "_filters", "_place", "_target")

    def __init__(
        self, place: SourceLine, target: Optional[Target], filters: Sequence[Filter], body: Body
    ) -> None:
        self._place = place
        self._target = target
        self._filters = filters
        self._body = body

    def run(self, account: Account) -> int:
        """Run the statements, then give away what they wrote."""
        account.line = self._place.line
        account.spend(self._place.steps)
        value: Value = captured(account, self._body, {}, account.scope)
        for one in self._filters:
            value = one(account, value, [], {})
        if self._target is None:
            account.write(text_of(account, value))
        else:
            self._target.assign(account, value)
        return GO


class Chosen(Statement):
    """Statements under ``if``, ``elif`` and ``else``."""

    __slots__ = ("_branches", "_line", "_other")

    def __init__(self, line: int, branches: Sequence[Tuple[int, Node, Body]], other: Body) -> None:
        self._line = line
        self._branches = branches
        self._other = other

    def run(self, account: Account) -> int:
        """Run the statements of the first test that holds."""
        account.line = self._line
        for steps, test, body in self._branches:
            account.spend(steps)
            if test.value(account):
                return run_all(account, body)
        return run_all(account, self._other)


class Repeated(Statement):
    """Statements that run once for each item."""

    __slots__ = ("_body", "_items", "_other", "_place", "_target", "_test")

    def __init__(
        self,
        place: SourceLine,
        target: Target,
        items: Node,
        test: Optional[Node],
        body: Body,
        other: Body,
    ) -> None:
        self._place = place
        self._target = target
        self._items = items
        self._test = test
        self._body = body
        self._other = other

    def run(self, account: Account) -> int:
        """Run the statements for each item, or those of ``else`` without items."""
        account.line = self._place.line
        account.spend(self._place.steps)
        items = items_of(account, self._items.value(account))
        outer = account.scope
        try:
            if self._test is not None:
                items = [one for one in items if self._holds(account, outer, one)]
            if not items:
                account.scope = NameScope({}, outer)
                return run_all(account, self._other)
            self._rounds(account, outer, items)
            return GO
        finally:
            account.scope = outer

    def _rounds(self, account: Account, outer: NameScope, items: Values) -> None:
        loop = LoopState(items)
        for place, one in enumerate(items):
            account.spend(1)
            loop.index0 = place
            account.scope = NameScope({"loop": loop}, outer)
            self._target.assign(account, one)
            if run_all(account, self._body) == BREAK:
                return

    def _holds(self, account: Account, outer: NameScope, item: Value) -> bool:
        account.spend(self._place.steps)
        account.scope = NameScope({}, outer)
        self._target.assign(account, item)
        return self._test is not None and bool(self._test.value(account))


class Leap(Statement):
    """The end of a round: ``break`` or ``continue``."""

    __slots__ = ("_wanted",)

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted

    def run(self, account: Account) -> int:
        """Return what the loop shall do."""
        account.spend(1)
        return self._wanted


class MacroText(NamedTuple):
    """A macro as it is written: the default of a parameter is ``None`` without one."""

    name: str
    parameters: Sequence[Tuple[str, Optional[Node]]]
    body: Body
    steps: int


class BoundMacro(Callee):
    """A macro with the scope that it was made in."""

    __slots__ = ("_scope", "_text")

    def __init__(self, text: MacroText, scope: NameScope) -> None:
        self._text = text
        self._scope = scope

    def call(self, account: Account, arguments: Values, named: NamedValues) -> str:
        """Return what the macro writes.

        Raises:
            Fault: when the arguments do not fit, or macros are too deep in each other.
        """
        text = self._text
        account.spend(text.steps + 5)
        account.calls -= 1
        if account.calls < 0:
            raise Fault("more than {} macros run in each other".format(account.limits.calls))
        given = self._given(arguments, named)
        scope = account.scope
        names: NamedValues = {}
        account.scope = NameScope(names, self._scope)
        try:
            for name, default in text.parameters:
                known = name in given
                unset = Unset(name) if default is None else default.value(account)
                names[name] = given[name] if known else unset
        finally:
            account.scope = scope
        written = captured(account, text.body, names, self._scope)
        account.calls += 1
        return written

    def _given(self, arguments: Values, named: NamedValues) -> NamedValues:
        names = [name for name, _ in self._text.parameters]
        if len(arguments) > len(names):
            raise Fault("the macro {} takes {} arguments".format(self._text.name, len(names)))
        given = dict(zip(names, arguments))
        for name, value in named.items():
            if name not in names or name in given:
                raise Fault("the macro {} has no place for {!a}".format(self._text.name, name))
            given[name] = value
        return given


class Defined(Statement):
    """The definition of a macro."""

    __slots__ = ("_text",)

    def __init__(self, text: MacroText) -> None:
        self._text = text

    def run(self, account: Account) -> int:
        """Make the macro known in its scope."""
        account.spend(1)
        account.scope.names[self._text.name] = BoundMacro(self._text, account.scope)
        return GO
