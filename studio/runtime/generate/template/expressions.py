"""The reader of expressions, with the precedence of Jinja's documentation."""

from __future__ import annotations

from typing import Callable, List, Mapping, Optional, Tuple

from .account import Account
from .checks import CHECKS
from .cursor import TokenCursor
from .filters import FILTERS
from .kinds import NamedValues, Value, Values
from .limits import Fault, shown
from .nodes import (
    Applied,
    Arithmetic,
    Attribute,
    ComparisonChain,
    Conditional,
    Function,
    Invocation,
    Item,
    Joint,
    Junction,
    Literal,
    Mapped,
    Node,
    Opposite,
    Range,
    Sequenced,
    Signed,
    Unknown,
    Variable,
)
from .operators import COMPARISONS, POWERS, PRODUCTS, SUMS, Operation
from .tokens import FLOAT, INTEGER, LAST, NAME, STRING

_CONSTANTS: Mapping[str, Value] = {
    **{"true": True, "True": True, "false": False, "False": False},
    **{"none": None, "None": None},
}
_CHAIN = 60
"""Parts of one chain of dots, brackets, calls and filters."""


class ExpressionReader:
    """Reads expressions at the position of a cursor."""

    def __init__(self, cursor: TokenCursor) -> None:
        self._cursor = cursor

    def listing(self, conditional: bool = True) -> Node:
        """Read an expression, or several with commas between them, which make a tuple."""
        first = self.expression(conditional)
        if not self._cursor.sees(","):
            return first
        parts = [first]
        while self._cursor.skip(","):
            if self._ends():
                break
            parts.append(self.expression(conditional))
        return self._made(Sequenced(parts, tuple))

    def expression(self, conditional: bool = True) -> Node:
        """Read one expression.

        Args:
            conditional: Whether an ``if`` after it is its own.

        Raises:
            TemplateError: when it cannot be read.
        """
        with self._cursor.deeper():
            chosen = self._either()
            if not conditional or not self._cursor.skip("if"):
                return chosen
            test = self._either()
            other: Node = Unknown("the side of an if without else")
            if self._cursor.skip("else"):
                other = self.expression()
            return self._made(Conditional(test, chosen, other))

    def filters(self, first: bool = False) -> List[Function]:
        """Read the filters of a block, which have no arguments.

        Args:
            first: Whether the first stands without a ``|``.
        """
        found: List[Function] = []
        while (first and not found) or self._cursor.skip("|"):
            found.append(self._named("filter", self._cursor.name(), FILTERS))
            if self._cursor.skip("("):
                self._cursor.expect(")")
        return found

    def _ends(self) -> bool:
        return self._cursor.now.kind in ("end", LAST) or self._cursor.sees(")", "=")

    def _made(self, node: Node) -> Node:
        self._cursor.made += 1
        return node

    def _either(self) -> Node:
        return self._junction("or", self._both, True)

    def _both(self) -> Node:
        return self._junction("and", self._opposite, False)

    def _junction(self, word: str, read: Callable[[], Node], stop: bool) -> Node:
        parts = [read()]
        while self._cursor.skip(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else self._made(Junction(parts, stop))

    def _opposite(self) -> Node:
        if not self._cursor.names("not"):
            return self._comparison()
        count = 0
        while self._cursor.skip("not"):
            count += 1
        node = self._comparison()
        for _ in range(2 - count % 2):
            node = self._made(Opposite(node))
        return node

    def _comparison(self) -> Node:
        first = self._sum()
        pairs: List[Tuple[Operation, Node]] = []
        while True:
            sign = self._comparing()
            if sign is None:
                break
            pairs.append((COMPARISONS[sign], self._sum()))
        return self._made(ComparisonChain(first, pairs)) if pairs else first

    def _comparing(self) -> Optional[str]:
        cursor = self._cursor
        if cursor.sees("==", "!=", "<", "<=", ">", ">="):
            return str(cursor.take().value)
        if cursor.skip("in"):
            return "in"
        if cursor.names("not") and cursor.then.kind == NAME and cursor.then.value == "in":
            cursor.take()
            cursor.take()
            return "not in"
        return None

    def _sum(self) -> Node:
        return self._arithmetic(SUMS, self._joint)

    def _joint(self) -> Node:
        parts = [self._product()]
        while self._cursor.skip("~"):
            parts.append(self._product())
        return parts[0] if len(parts) == 1 else self._made(Joint(parts))

    def _product(self) -> Node:
        return self._arithmetic(PRODUCTS, self._power)

    def _power(self) -> Node:
        return self._arithmetic(POWERS, self._signed)

    def _arithmetic(self, signs: Mapping[str, Operation], read: Callable[[], Node]) -> Node:
        first = read()
        pairs: List[Tuple[Operation, Node]] = []
        while self._cursor.sees(*signs):
            sign = str(self._cursor.take().value)
            pairs.append((signs[sign], read()))
        return self._made(Arithmetic(first, pairs)) if pairs else first

    def _signed(self, filtered: bool = True) -> Node:
        if self._cursor.sees("-", "+"):
            with self._cursor.deeper():
                minus = self._cursor.take().value == "-"
                node = self._made(Signed(self._signed(False), minus))
        else:
            node = self._primary()
        node = self._postfixed(node)
        return self._filtered(node) if filtered else node

    def _primary(self) -> Node:
        cursor = self._cursor
        token = cursor.now
        if token.kind in (NAME, STRING, INTEGER, FLOAT):
            cursor.take()
            if token.kind == STRING:
                return self._made(Literal(self._texts(str(token.value))))
            if token.kind == NAME:
                return self._made(_named_value(str(token.value)))
            return self._made(Literal(token.value))
        if cursor.skip("("):
            return self._parenthesis()
        if cursor.skip("["):
            return self._made(Sequenced(self._parts("]"), list))
        if cursor.skip("{"):
            return self._made(Mapped(self._pairs()))
        raise cursor.unexpected()

    def _texts(self, text: str) -> str:
        texts = [text]
        while self._cursor.now.kind == STRING:
            texts.append(str(self._cursor.take().value))
        return "".join(texts)

    def _parenthesis(self) -> Node:
        if self._cursor.skip(")"):
            return self._made(Sequenced([], tuple))
        node = self.listing()
        self._cursor.expect(")")
        return node

    def _parts(self, end: str) -> List[Node]:
        parts: List[Node] = []
        while not self._cursor.skip(end):
            if parts:
                self._cursor.expect(",")
                if self._cursor.skip(end):
                    break
            parts.append(self.expression())
        return parts

    def _pairs(self) -> List[Tuple[Node, Node]]:
        pairs: List[Tuple[Node, Node]] = []
        while not self._cursor.skip("}"):
            if pairs:
                self._cursor.expect(",")
                if self._cursor.skip("}"):
                    break
            key = self.expression()
            self._cursor.expect(":")
            pairs.append((key, self.expression()))
        return pairs

    def _postfixed(self, node: Node) -> Node:
        for _ in range(_CHAIN):
            if self._cursor.skip("."):
                node = self._made(Attribute(node, self._cursor.name()))
            elif self._cursor.skip("["):
                node = self._made(self._subscript(node))
            elif self._cursor.skip("("):
                node = self._made(Invocation(node, *self._arguments()))
            else:
                return node
        raise self._cursor.error("a chain has more than {} parts".format(_CHAIN))

    def _filtered(self, node: Node) -> Node:
        for _ in range(_CHAIN):
            if self._cursor.skip("|"):
                node = self._made(self._filter(node))
            elif self._cursor.skip("is"):
                node = self._test(node)
            elif self._cursor.skip("("):
                node = self._made(Invocation(node, *self._arguments()))
            else:
                return node
        raise self._cursor.error("a chain has more than {} parts".format(_CHAIN))

    def _subscript(self, node: Node) -> Node:
        bounds: List[Optional[Node]] = []
        sliced = False
        while True:
            ends = self._cursor.sees(":", "]")
            bounds.append(None if ends else self.expression())
            if self._cursor.skip("]"):
                break
            self._cursor.expect(":")
            sliced = True
        if not sliced and bounds[0] is not None:
            return Item(node, bounds[0])
        if not sliced or len(bounds) > 3:
            raise self._cursor.error("the brackets have no key")
        return Range(node, [*bounds, None, None][:3])

    def _arguments(self) -> Tuple[List[Node], List[Tuple[str, Node]]]:
        arguments: List[Node] = []
        named: List[Tuple[str, Node]] = []
        while not self._cursor.skip(")"):
            if arguments or named:
                self._cursor.expect(",")
                if self._cursor.skip(")"):
                    break
            if self._is_named():
                name = self._cursor.name()
                self._cursor.expect("=")
                named.append((name, self.expression()))
            elif named:
                raise self._cursor.error("an argument without a name follows one with a name")
            else:
                arguments.append(self.expression())
        return arguments, named

    def _is_named(self) -> bool:
        then = self._cursor.then
        return self._cursor.now.kind == NAME and then.kind == "sign" and then.value == "="

    def _filter(self, node: Node) -> Node:
        function = self._named("filter", self._cursor.name(), FILTERS)
        bracket = self._cursor.skip("(")
        arguments, named = self._arguments() if bracket else ([], [])
        return Applied(node, function, arguments, named)

    def _test(self, node: Node) -> Node:
        opposite = self._cursor.skip("not")
        name = self._cursor.name()
        function = self._named("test", name, CHECKS)
        arguments: List[Node] = []
        if self._cursor.skip("("):
            arguments, _ = self._arguments()
        elif self._argument_follows():
            with self._cursor.deeper():
                arguments = [self._postfixed(self._primary())]
        tested = self._made(Applied(node, function, arguments, []))
        return self._made(Opposite(tested)) if opposite else tested

    def _argument_follows(self) -> bool:
        cursor = self._cursor
        if cursor.now.kind == NAME:
            return not cursor.names("else", "or", "and", "is", "if", "not", "in", "recursive")
        return cursor.now.kind in (STRING, INTEGER, FLOAT) or cursor.sees("[", "{")

    def _named(self, kind: str, name: str, table: Mapping[str, Function]) -> Function:
        return table[name] if name in table else _unknown(kind, shown(name))


def _unknown(kind: str, name: str) -> Function:
    """Return what fails when it is reached: templates guard filters that not all have."""

    def fail(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
        raise Fault("the {} {!a} is not known".format(kind, name))

    return fail


def _named_value(name: str) -> Node:
    if name in _CONSTANTS:
        return Literal(_CONSTANTS[name])
    return Variable(name)
