"""The reader of templates: tokens become statements."""

from __future__ import annotations

from typing import Callable, List, Mapping, Optional, Tuple

from .cursor import TokenCursor
from .expressions import ExpressionReader
from .limits import TemplateError, TemplateLimits, broken, shown
from .nodes import Node
from .statements import (
    BREAK,
    CONTINUE,
    Assigned,
    Captured,
    Chosen,
    Defined,
    Leap,
    MacroText,
    PrintedValue,
    Repeated,
    SourceLine,
    Statement,
    Target,
    Written,
)
from .tokens import END, LAST, PRINT, TEXT, tokenize


def parse(source: str, limits: TemplateLimits) -> List[Statement]:
    """Return the statements of a template.

    Raises:
        TemplateError: with the line, when it is too long or cannot be read.
    """
    if len(source) > limits.source:
        text = "The chat template has {} characters, more than {}."
        raise TemplateError(text.format(len(source), limits.source))
    cursor = TokenCursor(tokenize(source), limits)
    try:
        return _StatementReader(cursor).all()
    except RecursionError:
        raise broken(cursor.now.line, "the constructs within each other are too many") from None


class _StatementReader:
    """Reads statements at the position of a cursor."""

    def __init__(self, cursor: TokenCursor) -> None:
        self._cursor = cursor
        self._expressions = ExpressionReader(cursor)
        self._loops = 0
        self._tags: Mapping[str, Callable[[int], Statement]] = {
            "if": self._if,
            "for": self._for,
            "set": self._set,
            "macro": self._macro,
            "filter": self._filter,
            "generation": self._generation,
            "break": self._leap,
            "continue": self._leap,
        }

    def all(self) -> List[Statement]:
        """Read the whole template."""
        return self._body()

    def _body(self, *ends: str) -> List[Statement]:
        """Read statements up to a tag that ends them, and go past its name."""
        with self._cursor.deeper():
            found: List[Statement] = []
            while True:
                token = self._cursor.take()
                if token.kind == LAST:
                    if ends:
                        raise self._cursor.error("the tag {} is missing".format(ends[-1]))
                    return found
                if token.kind == TEXT:
                    found.append(Written(str(token.value)))
                elif token.kind == PRINT:
                    found.append(self._print(token.line))
                elif self._cursor.names(*ends):
                    return found
                else:
                    found.append(self._tag(token.line))

    def _tag(self, line: int) -> Statement:
        name = self._cursor.name()
        if name not in self._tags:
            raise broken(line, "the tag {!a} is not known".format(shown(name)))
        # The name is read again by tags that have more than one.
        self._name = name
        return self._tags[name](line)

    def _end(self) -> None:
        if self._cursor.now.kind != END:
            raise self._cursor.unexpected()
        self._cursor.take()

    def _end_of(self, name: str) -> None:
        self._cursor.expect(name)
        self._end()

    def _listing(self, conditional: bool = True) -> Tuple[Node, int]:
        """Return an expression with the steps that it takes."""
        before = self._cursor.made
        node = self._expressions.listing(conditional)
        return node, 1 + self._cursor.made - before

    def _print(self, line: int) -> Statement:
        node, steps = self._listing()
        self._end()
        return PrintedValue(SourceLine(line, steps), node)

    def _if(self, line: int) -> Statement:
        branches = []
        while True:
            test, steps = self._listing(conditional=False)
            self._end()
            branches.append((steps, test, self._body("elif", "else", "endif")))
            if not self._cursor.skip("elif"):
                break
        other: List[Statement] = []
        if self._cursor.skip("else"):
            self._end()
            other = self._body("endif")
        self._end_of("endif")
        return Chosen(line, branches, other)

    def _for(self, line: int) -> Statement:
        target = self._target(spaces=False)
        self._cursor.expect("in")
        items, steps = self._listing(conditional=False)
        test: Optional[Node] = None
        if self._cursor.skip("if"):
            test, more = self._listing()
            steps += more
        if self._cursor.names("recursive"):
            raise self._cursor.error("recursive loops are not known")
        self._end()
        self._loops += 1
        body = self._body("else", "endfor")
        self._loops -= 1
        other: List[Statement] = []
        if self._cursor.skip("else"):
            self._end()
            other = self._body("endfor")
        self._end_of("endfor")
        return Repeated(SourceLine(line, steps), target, items, test, body, other)

    def _target(self, spaces: bool) -> Target:
        """Read the names that values are given to; ``spaces``: also one of a namespace."""
        bracket = self._cursor.skip("(")
        names = [self._cursor.name()]
        if spaces and not bracket and self._cursor.skip("."):
            return Target((names[0],), inner=self._cursor.name())
        several = False
        while self._cursor.skip(","):
            several = True
            if self._cursor.now.kind == "name" and not self._cursor.names("in"):
                names.append(self._cursor.name())
        if bracket:
            self._cursor.expect(")")
        return Target(tuple(names), several)

    def _set(self, line: int) -> Statement:
        target = self._target(spaces=True)
        if self._cursor.skip("="):
            node, steps = self._listing()
            self._end()
            return Assigned(SourceLine(line, steps), target, node)
        filters = self._expressions.filters()
        self._end()
        body = self._block("endset")
        return Captured(SourceLine(line, 1 + len(filters)), target, filters, body)

    def _filter(self, line: int) -> Statement:
        filters = self._expressions.filters(first=True)
        self._end()
        body = self._block("endfilter")
        return Captured(SourceLine(line, 1 + len(filters)), None, filters, body)

    def _generation(self, line: int) -> Statement:
        self._end()
        return Captured(SourceLine(line, 1), None, [], self._block("endgeneration"))

    def _block(self, end: str) -> List[Statement]:
        """Read statements that run in a scope of their own, where no loop can be left."""
        loops, self._loops = self._loops, 0
        body = self._body(end)
        self._loops = loops
        self._end_of(end)
        return body

    def _leap(self, line: int) -> Statement:
        if not self._loops:
            raise broken(line, "{} is outside of a loop".format(self._name))
        wanted = BREAK if self._name == "break" else CONTINUE
        self._end()
        return Leap(wanted)

    def _macro(self, line: int) -> Statement:
        name = self._cursor.name()
        before = self._cursor.made
        self._cursor.expect("(")
        parameters: List[Tuple[str, Optional[Node]]] = []
        while not self._cursor.skip(")"):
            if parameters:
                self._cursor.expect(",")
                if self._cursor.skip(")"):
                    break
            parameter = self._cursor.name()
            given = self._cursor.skip("=")
            parameters.append((parameter, self._expressions.expression() if given else None))
        steps = 1 + self._cursor.made - before
        self._end()
        return Defined(MacroText(name, parameters, self._block("endmacro"), steps))
