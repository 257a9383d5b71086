"""Words that the product does not say: in its texts, its docstrings and its pages."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.checkout import Module

_WORDS = {
    "whence": "whence",
    "anew": "anew",
    "beforehand": "beforehand",
    "meanwhile": "meanwhile",
    "for instance": "for instance",
    "of old": "of old",
    "take back": "(?:tak(?:e|es|en|ing)|took) (?:back|away)",
    "goes on": "go(?:es)? on(?= with|[.,;:]|$)|goes on",
    "begun": "begun",
    "tells": "told|tells|says|hears|speaks of",
    "asked": "(?:is|was|as|were|been) asked|asked for",
    "held against": "h(?:old|olds|eld) against|held back|judged by",
    "stands for": "stands for|lies in",
    "there is none": "nothing was named|cannot be had|is none",
    "nobody": "nobody|everybody|anybody|somebody|whoever",
    "so much": "so much|so many|so long|at most so|hardly|plainly|a part of",
    "in the way": "in the way|look here|ahead of|beside|apart|by itself|in turns",
    "light up": "light(?:s|ed)? up|lit up|put out",
    "riddle": "heat|slips?|mend(?:s|ed)?|doubts?|doubtful|wish(?:es)?|the way|company",
    "recipe": "recipes?",
}
# For texts in small letters: to pass over the case of each letter takes three times as long.
_INSIDE = re.compile(
    rf"\b(?:{'|'.join(f'(?P<w{at}>{word})' for at, word in enumerate(_WORDS.values()))})\b"
)
_NAMES = tuple(_WORDS)
_AT_START = re.compile(r"(?:what is|what serves|what came of|all that|those that|the one before)\b")
_THERE_IS_NO = re.compile(
    r"there is no\b|(?:no|nothing)\b[^.:]*\b(?:was|were|is) (?:named|given)\b"
)
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|\n\s*\n")
# A text that is written for a program: a style sheet, a query, a template.
_CODE = re.compile(r"[{}<>=\\$|]|\bSELECT\b|\bCREATE\b|\bINSERT\b")
_PLACEHOLDER = "X"
MOST_WORDS = 25

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"(`+)[^`]+?\1")
_ADDRESS = re.compile(r"\]\([^)\s]*\)|https?://\S+")
# A new paragraph, heading, entry of a list, row or cell of a table begins a text of its own.
_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\.))|\|")
_MARKS = re.compile(r"^[\s#>*\-\d.]+")


@dataclass(frozen=True)
class Text:
    """A piece of prose.

    Attributes:
        kind: ``literal``, ``docstring``, ``question`` (a literal title or hint) or ``page``.
    """

    kind: str
    line: int
    value: str


@dataclass(frozen=True)
class Hit:
    """A word that is found.

    Attributes:
        rule: The name under which it is counted.
    """

    rule: str
    line: int
    said: str


def texts_of_module(module: Module) -> Iterator[Text]:
    """Docstrings, and literals that are read by people: with a blank or a capital."""
    for _, node in module.docstrings.values():
        yield Text("docstring", node.lineno, str(node.value))
    titles = set(_titles(module))
    for line, value, identity in _literals(module):
        kind = "question" if identity in titles else "literal"
        if " " in value.strip() or value[:1].isupper():
            yield Text(kind, line, value)


def _titles(module: Module) -> Iterator[int]:
    for call in module.all(ast.Call):
        yield from (id(word.value) for word in call.keywords if word.arg in ("title", "hint"))


def _literals(module: Module) -> Iterator[tuple[int, str, int]]:
    """Line, text and identity of literals; one with values in it as a whole."""
    inside = set(module.docstrings)
    for whole in module.all(ast.JoinedStr):
        inside |= {id(part) for part in whole.values}
        parts = (part.value if isinstance(part, ast.Constant) else "X" for part in whole.values)
        yield whole.lineno, "".join(map(str, parts)), id(whole)
    for node in module.all(ast.Constant):
        if isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value, id(node)


def texts_of_page(page: str) -> Iterator[Text]:
    """The paragraphs, headings and cells of a page in Markdown, without code and addresses."""
    plain = _FENCE.sub(_lines_of, page)
    plain = _CODE_SPAN.sub(lambda match: _PLACEHOLDER + _lines_of(match), plain)
    plain = _ADDRESS.sub("]", plain)
    start = 0
    for end in [*_BLOCK.finditer(plain), None]:
        block = plain[start : end.start() if end else None]
        prose = _MARKS.sub("", block)
        if prose.strip():
            above = plain.count("\n", 0, start + len(block) - len(prose))
            yield Text("page", above + 1, prose)
        start = end.end() if end else 0


def _lines_of(match: re.Match[str]) -> str:
    """Only the ends of lines, so that what follows keeps its number."""
    return "\n" * match[0].count("\n")


def hits(texts: Iterable[Text], allowed: Sequence[str] = ()) -> list[Hit]:
    """What is said in texts and should not be, without the phrases that are allowed."""
    pardoned = re.compile("|".join(map(re.escape, allowed)), re.IGNORECASE) if allowed else None
    found: list[Hit] = []
    for text in texts:
        prose = pardoned.sub(_PLACEHOLDER, text.value) if pardoned else text.value
        found += [*_said(text, prose.lower()), *_unwieldy(text, prose)]
    return found


def _said(text: Text, prose: str) -> Iterator[Hit]:
    for match in _INSIDE.finditer(prose):
        rule = _NAMES[int((match.lastgroup or "w0")[1:])]
        yield Hit(rule, text.line + prose.count("\n", 0, match.start()), match[0])
    if start := _AT_START.match(prose):
        yield Hit("opens with a clause", text.line, start[0])
    if text.kind in ("literal", "question") and (none := _THERE_IS_NO.match(prose)):
        yield Hit("there is none", text.line, none[0])
    if text.kind == "question" and prose.rstrip().endswith("?"):
        yield Hit("asks", text.line, prose)


def _unwieldy(text: Text, prose: str) -> Iterator[Hit]:
    """Sentences that are too long, or hold two semicolons."""
    if len(prose) < 2 * MOST_WORDS:
        return
    for sentence in _SENTENCE_END.split(prose):
        if _CODE.search(sentence):
            continue
        said = " ".join(sentence.split())[:60]
        if sentence.count("; ") > 1:
            yield Hit("two semicolons", text.line, said)
        if len(sentence.split()) > MOST_WORDS:
            yield Hit("long sentence", text.line, said)


def pages(root: Path) -> list[Path]:
    """What is written for users: the pages, the readme and the changelog."""
    return [*sorted((root / "docs").glob("*.md")), root / "README.md", root / "CHANGELOG.md"]


def all_texts(modules: Iterable[Module], root: Path) -> dict[str, list[Text]]:
    """The prose of each file of the product that has any."""
    found = {module.path: list(texts_of_module(module)) for module in modules}
    for page in pages(root):
        found[page.relative_to(root).as_posix()] = list(texts_of_page(page.read_text()))
    return found


def counted(found: dict[str, list[Hit]]) -> dict[str, dict[str, int]]:
    """How often each rule is broken in each file that breaks one, in order."""
    return {
        path: dict(sorted(Counter(hit.rule for hit in hits).items()))
        for path, hits in sorted(found.items())
        if hits
    }
