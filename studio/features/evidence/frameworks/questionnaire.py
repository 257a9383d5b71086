"""The questions that place an intended use, read from ``screening.toml``."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from studio.api import UsageError
from studio.documents.toml_text import TomlText, no_such
from studio.features.evidence.frameworks.catalogue import section_ids, shipped
from studio.features.evidence.frameworks.fields import TableFields, read_toml, rows
from studio.features.evidence.frameworks.parser import Cited, citations
from studio.lazy_dataclass import dataclass
from studio.settings.resources import resource

PROHIBITED, HIGH_RISK, EXCEPTION = "prohibited", "high-risk", "exception"
TRANSPARENCY, COUNSEL = "transparency", "counsel"
GROUPS = (PROHIBITED, HIGH_RISK, EXCEPTION, TRANSPARENCY, COUNSEL)
YES, NO, UNSURE = "yes", "no", "unsure"
ANSWERS = (YES, NO, UNSURE)
_KEYS = ("title", "as_of", "note", "questions")
_QUESTION_KEYS = ("id", "group", "text", "help", "together", "exception", "keeps", "cites")


@dataclass(frozen=True, slots=True)
class ScreeningQuestion:
    """A question of the screening, answered by yes, no or unsure.

    Attributes:
        together: Questions of high-risk uses with the same word count if all are answered yes;
            otherwise the id of the question.
        exception: Whether the exception of Article 6(3) can be claimed for it.
        keeps: Of an exception: yes means that the use stays high-risk.
        cites: Sections of frameworks, as ``framework:section``.
    """

    id: str
    group: str
    text: str
    help: str
    together: str
    exception: bool
    keeps: bool
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """All questions of the screening, in their order."""

    title: str
    as_of: str
    note: str
    questions: tuple[ScreeningQuestion, ...]

    def of(self, group: str) -> tuple[ScreeningQuestion, ...]:
        """Return the questions of a group."""
        return tuple(one for one in self.questions if one.group == group)

    def check(self, answers: Mapping[str, str]) -> None:
        """Check ids and words of answers.

        Raises:
            UsageError: for an unknown question, or a word that is no answer.
        """
        known = {one.id for one in self.questions}
        for name, word in answers.items():
            if name not in known:
                reason, hint = no_such(name[:80], known, "question")
                raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=hint)
            if word not in ANSWERS:
                hint = f"Answer with one of: {', '.join(ANSWERS)}."
                raise UsageError(f"{word[:80]!r} is no answer to {name!r}.", hint=hint)


@functools.cache
def questionnaire() -> Questionnaire:
    """Return the questionnaire that ships with the studio."""
    toml = read_toml(resource("frameworks", "screening.toml"))
    return parse_questionnaire(toml, section_ids(shipped()))


def parse_questionnaire(toml: TomlText, cited: Cited) -> Questionnaire:
    """Return the questionnaire of a text.

    Args:
        cited: Sections of frameworks that it may cite.

    Raises:
        UsageError: with file, line and column, for a wrong value or an unknown article.
    """
    head = TableFields(toml, (), _KEYS)
    found: dict[str, ScreeningQuestion] = {}
    for one in _questions(toml, cited):
        if one.id in found:
            raise toml.wrong(f"the question {one.id!r} stands twice.", "questions")
        found[one.id] = one
    return Questionnaire(
        head.text("title"), head.day("as_of"), head.text("note"), tuple(found.values())
    )


def _questions(toml: TomlText, cited: Cited) -> Iterator[ScreeningQuestion]:
    for row in rows(toml, "questions", _QUESTION_KEYS):
        name = row.id()
        group = row.choice("group", GROUPS)
        yield ScreeningQuestion(
            id=name,
            group=group,
            text=row.text("text"),
            help=row.optional_text("help"),
            together=_only(row, "together", group, HIGH_RISK) or name,
            exception=row.flag("exception", default=False),
            keeps=row.flag("keeps", default=False),
            cites=citations(row, cited),
        )


def _only(row: TableFields, key: str, group: str, allowed: str) -> str:
    """Return a text that only questions of one group may have."""
    value = row.optional_text(key)
    if value and group != allowed:
        raise row.wrong(f"only questions of the group {allowed} have {key}.", key)
    return value
