"""The tokens of a template: texts between tags, and names, numbers and signs in them.

The white space around tags follows Jinja's documentation, with ``trim_blocks`` and
``lstrip_blocks`` set as transformers sets them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import List, NamedTuple, Optional, Union

from .limits import broken

TEXT, PRINT, TAG, END = "text", "print", "tag", "end"
NAME, STRING, INTEGER, FLOAT, SIGN, LAST = "name", "string", "integer", "float", "sign", "last"

_OPENING = re.compile(r"\{[{%#]")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})")
_RAW_END = re.compile(r"\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)")
_COMMENT_END = re.compile(r"[-+]?#\}")
_TAG_END = re.compile(r"\+%\}|-%\}\s*|%\}\n?")
_PRINT_END = re.compile(r"-\}\}\s*|\}\}")
_SPACES = re.compile(r"\s+")
_TOKEN = re.compile(
    r"(?P<float>\d[\d_]*(?:\.\d[\d_]*(?:[eE][-+]?\d+)?|[eE][-+]?\d+))"
    r"|(?P<integer>0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<sign>\*\*|//|==|!=|<=|>=|[-+/*%~\[\]{}()<>=.,:|;])",
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:[\n\\'\"abfnrtv]|[0-3]?[0-7]{1,2}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}"
    r"|N\{[A-Za-z0-9 -]{1,99}\}|[xuUN])"
)
_NEWLINES = re.compile(r"\r\n|\r")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_DIGITS = 20


class TemplateToken(NamedTuple):
    """A token with the line that it begins in."""

    kind: str
    value: Union[str, int, float]
    line: int


def tokenize(source: str) -> List[TemplateToken]:
    """Return the tokens of a template; the last is of kind ``LAST``.

    Raises:
        TemplateError: when the template cannot be cut into tokens.
    """
    source = _NEWLINES.sub("\n", source)
    if source.endswith("\n"):
        source = source[:-1]
    return _Tokenizer(source).all()


class _Tokenizer:
    """The position in a source, and the tokens before it."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._fresh = True
        self._found: List[TemplateToken] = []
        self._lines = [place.start() for place in re.finditer("\n", source)]

    def all(self) -> List[TemplateToken]:
        """Return the tokens of the whole source."""
        while True:
            opening = _OPENING.search(self._source, self._at)
            if opening is None:
                self._text(self._source[self._at :], self._at)
                self._add(LAST, "", len(self._source))
                return self._found
            self._tag(opening.group(), opening.start())

    def _tag(self, kind: str, start: int) -> None:
        raw = _RAW.match(self._source, start) if kind == "{%" else None
        mark = self._source[start + 2 : start + 3]
        mark = mark if mark in ("-", "+") else ""
        text = self._source[self._at : start]
        self._text(self._before(text, mark, kind != "{{"), self._at)
        self._at = start + 2 + len(mark)
        if raw is not None:
            self._raw(raw.end(), start)
        elif kind == "{#":
            self._comment(start)
        else:
            self._content(start, *((TAG, _TAG_END) if kind == "{%" else (PRINT, _PRINT_END)))

    def _before(self, text: str, mark: str, block: bool) -> str:
        """Return the text in front of a tag without the white space that the tag removes."""
        if mark == "-":
            return text.rstrip()
        if block and mark != "+":
            cut = text.rfind("\n") + 1
            if (cut or self._fresh) and not text[cut:].strip():
                return text[:cut]
        return text

    def _after(self, end: int) -> None:
        self._at = end
        self._fresh = self._source[end - 1 : end] == "\n"

    def _comment(self, start: int) -> None:
        end = _COMMENT_END.search(self._source, self._at)
        if end is None:
            raise broken(self._line(start), "a comment has no end")
        at = end.end()
        if end.group()[0] == "-":
            spaces = _SPACES.match(self._source, at)
            at = spaces.end() if spaces else at
        elif end.group()[0] == "#" and self._source[at : at + 1] == "\n":
            at += 1
        self._after(at)

    def _raw(self, begin: int, start: int) -> None:
        self._after(begin)
        end = _RAW_END.search(self._source, begin)
        if end is None:
            raise broken(self._line(start), "a raw block has no end")
        self._text(self._before(self._source[begin : end.start()], end.group(1), True), begin)
        self._after(end.end())

    def _content(self, start: int, kind: str, ending: re.Pattern[str]) -> None:
        self._add(kind, "", start)
        open_signs: List[str] = []
        while True:
            spaces = _SPACES.match(self._source, self._at)
            self._at = spaces.end() if spaces else self._at
            end = None if open_signs else ending.match(self._source, self._at)
            if end is not None:
                self._add(END, "", self._at)
                self._after(end.end())
                return
            self._token(start, open_signs)

    def _token(self, start: int, open_signs: List[str]) -> None:
        found = _TOKEN.match(self._source, self._at)
        if found is None:
            if self._at >= len(self._source):
                raise broken(self._line(start), "a tag has no end")
            sign = self._source[self._at]
            text = "a text has no end" if sign in "'\"" else "the sign {!a} has no meaning"
            raise broken(self._line(self._at), text.format(sign))
        kind, text = str(found.lastgroup), found.group()
        if kind == SIGN:
            _balance(text, open_signs, self._line(self._at))
        self._add(kind, _value(kind, text, self._line(self._at)), self._at)
        self._at = found.end()

    def _text(self, text: str, at: int) -> None:
        if text:
            self._add(TEXT, text, at)

    def _add(self, kind: str, value: Union[str, int, float], at: int) -> None:
        self._found.append(TemplateToken(kind, value, self._line(at)))

    def _line(self, at: int) -> int:
        return bisect_right(self._lines, at - 1) + 1


def _balance(sign: str, open_signs: List[str], line: int) -> None:
    if sign in "([{":
        open_signs.append(sign)
    elif sign in _PAIRS and (not open_signs or open_signs.pop() != _PAIRS[sign]):
        raise broken(line, "{!r} closes nothing".format(sign))


def _value(kind: str, text: str, line: int) -> Union[str, int, float]:
    if kind == STRING:
        return _unescaped(text[1:-1], line)
    if kind in (INTEGER, FLOAT):
        number = _number(kind, text)
        if number is None:
            raise broken(line, "the number {} cannot be read".format(text[:_DIGITS]))
        return number
    return text


def _number(kind: str, text: str) -> Optional[Union[int, float]]:
    try:
        if kind == FLOAT:
            return float(text.replace("_", ""))
        if len(text) > _DIGITS:
            return None
        plain = text.replace("_", "")
        return int(plain, 0) if plain[:1] == "0" and plain[1:2].isalpha() else int(plain)
    except ValueError:
        return None


def _character(escape: re.Match[str]) -> str:
    return escape.group().encode("ascii").decode("unicode-escape")


def _unescaped(text: str, line: int) -> str:
    try:
        return _ESCAPE.sub(_character, text)
    except UnicodeDecodeError:
        raise broken(line, "a text has an escape that cannot be read") from None
