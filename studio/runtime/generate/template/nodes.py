"""The nodes of expressions; each gives its value under the account of a rendering."""

from __future__ import annotations

from typing import Callable, Dict, Optional, Sequence, Tuple

from .account import Account
from .attributes import attribute_of, item_of, slice_of
from .calls import call_value
from .kinds import SCALARS, NamedValues, Unset, Value, Values
from .limits import Fault
from .methods import METHODS, call_method
from .values import text_of

Operation = Callable[[Account, Value, Value], Value]
Named = Sequence[Tuple[str, "Node"]]
Function = Callable[[Account, Value, Values, NamedValues], Value]


class Node:
    """An expression of a template."""

    __slots__ = ()

    def value(self, account: Account) -> Value:
        """Return its value.

        Raises:
            Fault: when it has none, or an account is used up.
        """
        raise NotImplementedError


class Literal(Node):
    """A text, a number or another value that is written in the template."""

    __slots__ = ("_value",)

    def __init__(self, value: Value) -> None:
        self._value = value

    def value(self, account: Account) -> Value:
        """Return the value that is written."""
        return self._value


class Variable(Node):
    """A name, looked up in the scopes from the inside out."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def value(self, account: Account) -> Value:
        """Return the value of the name."""
        return account.scope.find(self.name)


class Unknown(Node):
    """A name that was never given a value."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def value(self, account: Account) -> Value:
        """Return an undefined value."""
        return Unset(self._name)


class Attribute(Node):
    """The name after a dot: a method of the table, or else a key."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Node, name: str) -> None:
        self.owner = owner
        self.name = name

    def value(self, account: Account) -> Value:
        """Return the attribute."""
        return attribute_of(self.owner.value(account), self.name)


class Item(Node):
    """The key in brackets: of a dictionary or a list, or else a method of the table."""

    __slots__ = ("_key", "_owner")

    def __init__(self, owner: Node, key: Node) -> None:
        self._owner = owner
        self._key = key

    def value(self, account: Account) -> Value:
        """Return the item."""
        return item_of(self._owner.value(account), self._key.value(account))


class Range(Node):
    """A slice of a text or a list."""

    __slots__ = ("_bounds", "_owner")

    def __init__(self, owner: Node, bounds: Sequence[Optional[Node]]) -> None:
        self._owner = owner
        self._bounds = bounds

    def value(self, account: Account) -> Value:
        """Return the slice."""
        bounds = [None if one is None else one.value(account) for one in self._bounds]
        return slice_of(account, self._owner.value(account), bounds)


class Invocation(Node):
    """A call of a method, a function or a macro."""

    __slots__ = ("_arguments", "_called", "_named")

    def __init__(self, called: Node, arguments: Sequence[Node], named: Named) -> None:
        self._called = called
        self._arguments = arguments
        self._named = named

    def value(self, account: Account) -> Value:
        """Return what the call gives."""
        called = self._called
        if type(called) is Attribute:
            owner = called.owner.value(account)
            if called.name in METHODS.get(type(owner), ()):
                arguments, named = self._values(account)
                return call_method(account, owner, called.name, arguments, named)
            found = attribute_of(owner, called.name)
        else:
            found = called.value(account)
        return call_value(account, found, *self._values(account))

    def _values(self, account: Account) -> Tuple[Values, NamedValues]:
        arguments = [one.value(account) for one in self._arguments]
        return arguments, {name: one.value(account) for name, one in self._named}


class Applied(Node):
    """A filter or a test with its arguments."""

    __slots__ = ("_arguments", "_function", "_named", "_target")

    def __init__(
        self, target: Node, function: Function, arguments: Sequence[Node], named: Named
    ) -> None:
        self._target = target
        self._function = function
        self._arguments = arguments
        self._named = named

    def value(self, account: Account) -> Value:
        """Return what the filter or the test gives."""
        arguments = [one.value(account) for one in self._arguments]
        named = {name: one.value(account) for name, one in self._named}
        return self._function(account, self._target.value(account), arguments, named)


class Opposite(Node):
    """An expression with ``not``."""

    __slots__ = ("_of",)

    def __init__(self, of: Node) -> None:
        self._of = of

    def value(self, account: Account) -> Value:
        """Return whether the expression is false."""
        return not self._of.value(account)


class Signed(Node):
    """A number with a sign in front."""

    __slots__ = ("_minus", "_of")

    def __init__(self, of: Node, minus: bool) -> None:
        self._of = of
        self._minus = minus

    def value(self, account: Account) -> Value:
        """Return the number."""
        number = self._of.value(account)
        if type(number) not in (int, float, bool):
            raise Fault("a sign is in front of what is no number")
        return -number if self._minus else +number


class Junction(Node):
    """Expressions that are joined by ``and``, or by ``or``."""

    __slots__ = ("_parts", "_stop")

    def __init__(self, parts: Sequence[Node], stop: bool) -> None:
        self._parts = parts
        self._stop = stop

    def value(self, account: Account) -> Value:
        """Return the first value that decides."""
        value: Value = None
        for part in self._parts:
            value = part.value(account)
            if bool(value) is self._stop:
                return value
        return value


class ComparisonChain(Node):
    """Expressions with comparisons between them, all of which shall hold."""

    __slots__ = ("_first", "_pairs")

    def __init__(self, first: Node, pairs: Sequence[Tuple[Operation, Node]]) -> None:
        self._first = first
        self._pairs = pairs

    def value(self, account: Account) -> Value:
        """Return whether they hold."""
        left = self._first.value(account)
        for operation, node in self._pairs:
            right = node.value(account)
            if not operation(account, left, right):
                return False
            left = right
        return True


class Arithmetic(Node):
    """Expressions with signs of the same rank between them, from left to right."""

    __slots__ = ("_first", "_pairs")

    def __init__(self, first: Node, pairs: Sequence[Tuple[Operation, Node]]) -> None:
        self._first = first
        self._pairs = pairs

    def value(self, account: Account) -> Value:
        """Return the result."""
        left = self._first.value(account)
        for operation, node in self._pairs:
            left = operation(account, left, node.value(account))
        return left


class Joint(Node):
    """Texts that are joined by ``~``."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[Node]) -> None:
        self._parts = parts

    def value(self, account: Account) -> Value:
        """Return the joined text."""
        texts = [text_of(account, part.value(account)) for part in self._parts]
        account.room(sum(map(len, texts)))
        return "".join(texts)


class Conditional(Node):
    """An expression with ``if`` and ``else``."""

    __slots__ = ("_no", "_test", "_yes")

    def __init__(self, test: Node, yes: Node, no: Node) -> None:
        self._test = test
        self._yes = yes
        self._no = no

    def value(self, account: Account) -> Value:
        """Return the value of the side that is chosen."""
        return (self._yes if self._test.value(account) else self._no).value(account)


class Sequenced(Node):
    """A list or a tuple."""

    __slots__ = ("_make", "_parts")

    def __init__(self, parts: Sequence[Node], make: Callable[[Values], Value]) -> None:
        self._parts = parts
        self._make = make

    def value(self, account: Account) -> Value:
        """Return the list or tuple."""
        account.charge(64 + 8 * len(self._parts))
        return self._make([part.value(account) for part in self._parts])


class Mapped(Node):
    """A dictionary with its expressions."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Sequence[Tuple[Node, Node]]) -> None:
        self._pairs = pairs

    def value(self, account: Account) -> Value:
        """Return the dictionary."""
        account.charge(64 + 100 * len(self._pairs))
        made: Dict[Value, Value] = {}
        for key, value in self._pairs:
            name = key.value(account)
            if type(name) not in SCALARS:
                raise Fault("a key is no text and no number")
            made[name] = value.value(account)
        return made
