"""The language or script of a text, from its letters and its most common words.

A rough guess for counts over many texts: short texts, names and program code have no common words
and count as their script alone.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Dict, List, Mapping, Tuple

MOST_CHARACTERS = 1000
"""Characters of a text that are looked at."""
NOTHING = "none"
"""Of a text without letters."""

_FEWEST = 2
"""Common words that a text needs; a letter that one language alone has counts as one."""
_SHARE = 0.3
"""Share of the letters above which a script beside Latin is that of the text."""

_SCRIPTS: Tuple[Tuple[str, Tuple[Tuple[int, int], ...]], ...] = (
    ("latin", ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF))),
    ("greek", ((0x370, 0x3FF), (0x1F00, 0x1FFF))),
    ("cyrillic", ((0x400, 0x52F),)),
    ("armenian", ((0x530, 0x58F),)),
    ("hebrew", ((0x590, 0x5FF),)),
    ("arabic", ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF))),
    ("devanagari", ((0x900, 0x97F),)),
    ("bengali", ((0x980, 0x9FF),)),
    ("tamil", ((0xB80, 0xBFF),)),
    ("telugu", ((0xC00, 0xC7F),)),
    ("thai", ((0xE00, 0xE7F),)),
    ("georgian", ((0x10A0, 0x10FF),)),
    ("korean", ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))),
    ("kana", ((0x3040, 0x30FF), (0x31F0, 0x31FF))),
    ("han", ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FFFF))),
)
_OTHER = "other"

_WORDS: Mapping[str, str] = {
    "english": "the and is of to in that it you for are with this what how not was have be can "
    "do does which from my your me we they would please write why",
    "german": "der die das und ist nicht ein eine ich zu den mit sich auf für von wie was wir "
    "sie es im dem auch kann bitte warum wird sind als oder",
    "french": "le la les et est une des un je que pour dans ce qui pas vous du au sur avec nous "
    "comment quelle quel pourquoi sont il elle par être",
    "spanish": "el la los las y es una un que en por para con no se del al como lo qué cómo "
    "cuál su más pero son está hay yo",
    "italian": "il lo la gli e è una un che di per con non si del della come sono questo cosa "
    "perché nel alla dei più anche ho quale",
    "portuguese": "o a os as e é um uma que em não para com do da dos por se como são você mais "
    "qual isso ao seu está ele",
    "dutch": "de het een en is van ik te dat niet in op voor met zijn wat hoe je aan er ook "
    "maar waarom wordt naar bij of",
    "polish": "i w nie na się jest to z że do jak co o czy od po dla tak są przez proszę",
    "swedish": "och i att det som en är på för med inte av jag den ett om hur vad till kan du",
    "turkish": "ve bir bu da de için ne mi ile çok nasıl ben var daha olarak gibi",
    "indonesian": "yang dan di ini itu dengan untuk tidak dari dalam adalah apa akan ke saya",
    "vietnamese": "là của và có không cho các một được trong với những này gì tôi người",
}
_LETTERS: Mapping[str, str] = {
    "german": "ß",
    "spanish": "ñ¿¡",
    "portuguese": "ãõ",
    "polish": "łąęśźżń",
    "swedish": "å",
    "turkish": "ğış",
    "vietnamese": "đơưạảấầẩậắằẹẻẽếềểệỉịọỏốồổộớờởợụủứừửữựỳỵỷỹ",
    "french": "œ",
}
_BY_WORD: Dict[str, List[str]] = {}
for _name, _text in _WORDS.items():
    for _word in _text.split():
        _BY_WORD.setdefault(_word, []).append(_name)
_WORD = re.compile(r"[^\W\d_]+")
_UKRAINIAN, _RUSSIAN = frozenset("іїєґІЇЄҐ"), frozenset("ыэъёЫЭЪЁ")


def language_of(text: str) -> str:
    """Return the language of a text in lower case, its script where that is all to be seen.

    Args:
        text: Its first 1,000 characters are looked at.
    """
    text = text[:MOST_CHARACTERS]
    counts = _by_script(text)
    letters = sum(counts.values())
    if not letters:
        return NOTHING
    if counts.get("kana", 0) and counts.get("kana", 0) + counts.get("han", 0) > _SHARE * letters:
        return "japanese"
    others = {name: count for name, count in counts.items() if name != "latin"}
    script = max(others, key=lambda name: others[name], default="latin")
    if others.get(script, 0) <= _SHARE * letters:
        return _of_latin(text)
    if script == "cyrillic":
        return _of_cyrillic(text)
    return {"han": "chinese"}.get(script, script)


def _by_script(text: str) -> Dict[str, int]:
    """Count the letters of each script."""
    found: Dict[str, int] = {}
    for char, count in Counter(text).items():
        if char.isalpha():
            name = _script_of(ord(char))
            found[name] = found.get(name, 0) + count
    return found


def _script_of(code: int) -> str:
    for name, ranges in _SCRIPTS:
        if any(first <= code <= last for first, last in ranges):
            return name
    return _OTHER


def _of_latin(text: str) -> str:
    """Return the language with the most common words; Latin where two are alike."""
    scores = dict.fromkeys(_WORDS, 0.0)
    lower = text.casefold()
    for word in _WORD.findall(lower):
        for name in _BY_WORD.get(word, ()):
            scores[name] += 1.0
    for name, letters in _LETTERS.items():
        scores[name] += sum(letter in lower for letter in letters)
    second, first = sorted(scores.values())[-2:]
    if first < _FEWEST or first == second:
        return "latin"
    return max(scores, key=lambda name: scores[name])


def _of_cyrillic(text: str) -> str:
    letters = set(text)
    if letters & _UKRAINIAN:
        return "ukrainian"
    return "russian" if letters & _RUSSIAN else "cyrillic"
