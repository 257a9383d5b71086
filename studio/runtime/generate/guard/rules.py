"""Guard rules as ``guard.json`` of a bundle has them."""

from __future__ import annotations

import threading
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ...shared.documents import read_record
from ..schema.constraint import constraint_of
from ..schema.errors import SchemaError
from .automaton import PatternSearch
from .errors import GuardError
from .search import AnswerSearch, FormOfAnswer, LengthOfAnswer, PatternInAnswer, WordsInAnswer
from .word_list import WordList

FILE = "guard.json"
FORM = 1
MOST_RULES = 100
PROMPTS, ANSWERS, BOTH = "prompts", "answers", "both"
REFUSE, COUNT = "refuse", "count"
_MOST_NAME, _MOST_MESSAGE = 60, 300
_MOST_LENGTH = 1 << 30


class RuleDocument(NamedTuple):
    """One rule as it is written; exactly one of the last four is given.

    Attributes:
        on: ``prompts``, ``answers`` or ``both``.
        action: ``refuse`` or ``count``.
        message: The sentence for clients; a usual one where it is empty.
        ignore_case: For ``regex``.
        words: Words and phrases that are not let through.
        regex: A pattern that is not let through.
        schema: JSON Schema that answers have to fit.
        characters: Characters that a text has at most.
    """

    name: str
    on: str = BOTH
    action: str = REFUSE
    message: str = ""
    ignore_case: bool = False
    words: Optional[Tuple[str, ...]] = None
    regex: Optional[str] = None
    schema: Optional[Mapping[str, object]] = None
    characters: Optional[int] = None


class GuardRule:
    """A rule that is ready for use, with the numbers of texts that broke it.

    Attributes:
        name: Unique among the rules of a guard.
        refuses: Texts that break it are not let through; otherwise they are counted.
        message: What clients get to read.
        is_cheap: It looks at the length alone.
        schema: JSON Schema of answers; None for any other rule.
        prompts, answers: Texts that broke it.
    """

    def __init__(
        self,
        document: RuleDocument,
        in_prompt: Callable[[str], bool],
        in_answer: Callable[[], AnswerSearch],
    ) -> None:
        self.name, self.on = document.name, document.on
        self.action = document.action
        self.refuses = document.action == REFUSE
        self.message = document.message
        self.schema = document.schema
        self.is_cheap = document.characters is not None
        self.is_broken_by = in_prompt
        self.search = in_answer
        self.prompts = self.answers = 0
        self._lock = threading.Lock()

    def count(self, answer: bool) -> None:
        """Count a text that broke it; called from several threads."""
        with self._lock:
            self.answers += answer
            self.prompts += not answer

    def status(self) -> Dict[str, object]:
        """Return its state as plain data."""
        found: Dict[str, object] = {"name": self.name, "on": self.on, "action": self.action}
        return {**found, "prompts": self.prompts, "answers": self.answers}


def read_rules(content: object) -> List[GuardRule]:
    """Return the rules of a document.

    Raises:
        GuardError: with the place of the mistake.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("rules"), (list, tuple)):
        raise GuardError("there are no rules")
    for key in content:
        if key not in ("rules", "form"):
            raise GuardError("the key {} is not known".format(str(key)[:40]), key)
    if content.get("form", FORM) != FORM:
        raise GuardError("this form of rules is not known here", "form")
    entries = content["rules"]
    if not 1 <= len(entries) <= MOST_RULES:
        raise GuardError("there are 1 to {} rules".format(MOST_RULES), "rules")
    rules: List[GuardRule] = []
    for place, entry in enumerate(entries):
        rule = _read_rule(entry, place)
        if any(rule.name == other.name for other in rules):
            raise GuardError("another rule has this name", "rules", place, "name")
        rules.append(rule)
    return rules


def _read_rule(entry: object, place: int) -> GuardRule:
    if not isinstance(entry, Mapping):
        raise GuardError("a rule is a table", "rules", place)
    for key in entry:
        if key not in RuleDocument._fields:
            raise GuardError("the key {} is not known".format(str(key)[:40]), "rules", place, key)
    try:
        document = read_record(RuleDocument, entry)
    except KeyError:
        raise GuardError("a rule has a name", "rules", place) from None
    except (TypeError, ValueError, AttributeError) as error:
        raise GuardError(_first_words(error), "rules", place) from None
    for key, sentence in _faults(document):
        raise GuardError(sentence, "rules", place, key)
    try:
        return _rule_of(document)
    except GuardError as error:
        raise GuardError(str(error), "rules", place, _kind(document), *error.place) from None
    except SchemaError as error:
        raise GuardError("the schema cannot be used: {}".format(error), "rules", place) from None


def _first_words(error: Exception) -> str:
    return "a value has another type than expected: {}".format(str(error)[:100])


def _kind(document: RuleDocument) -> str:
    kinds = ("words", "regex", "schema", "characters")
    return next((kind for kind in kinds if getattr(document, kind) is not None), "")


def _faults(document: RuleDocument) -> List[Tuple[str, str]]:
    """Return keys with what is wrong with them."""
    found = []
    given = [document.words, document.regex, document.schema, document.characters]
    if sum(one is not None for one in given) != 1:
        found.append(("name", "a rule has one of words, regex, schema and characters"))
    if not 0 < len(document.name) <= _MOST_NAME or not document.name.isprintable():
        found.append(("name", "a name has 1 to {} characters".format(_MOST_NAME)))
    if len(document.message) > _MOST_MESSAGE or not document.message.isprintable():
        sentence = "a message is a line of at most {} characters"
        found.append(("message", sentence.format(_MOST_MESSAGE)))
    if document.on not in (PROMPTS, ANSWERS, BOTH):
        found.append(("on", "on is prompts, answers or both"))
    if document.action not in (REFUSE, COUNT):
        found.append(("action", "action is refuse or count"))
    if document.schema is not None and document.on != ANSWERS:
        found.append(("on", 'a schema is for answers: on = "answers"'))
    if document.ignore_case and document.regex is None:
        found.append(("ignore_case", "ignore_case is for regex; words never have case"))
    if document.characters is not None and not 0 < document.characters <= _MOST_LENGTH:
        found.append(("characters", "characters is a positive number"))
    if document.words is not None and not document.words:
        found.append(("words", "there are no words"))
    return found


def _rule_of(document: RuleDocument) -> GuardRule:
    if document.words is not None:
        words = WordList(document.words)
        return GuardRule(document, words.is_in, lambda: WordsInAnswer(words))
    if document.regex is not None:
        pattern = PatternSearch(document.regex, document.ignore_case)
        if pattern.is_in(""):
            raise GuardError("the pattern fits the empty text, and so every text")
        return GuardRule(document, pattern.is_in, lambda: PatternInAnswer(pattern))
    if document.schema is not None:
        schema = document.schema
        constraint_of(schema)
        return GuardRule(document, lambda text: False, lambda: FormOfAnswer(schema))
    most = document.characters or 0
    return GuardRule(document, lambda text: len(text) > most, lambda: LengthOfAnswer(most))
