"""The data files of the rules: what is allowed because it was there before, and may only shrink."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from tests.architecture import counts, names, words
from tests.architecture.checkout import Module, product

Budget = dict[str, dict[str, int]]

COMMAND = "python tests/architecture/measure.py --write-budgets"
FOLDER = Path("tests/architecture")
BUDGETS, NAMES, WORDS = "budgets.toml", "allowed_names.toml", "word_budget.toml"
LINES = 500
"""Budgets of lines are multiples of it, so that not every change needs a new one."""
_REASONS = {
    "banned": "From before the rule; it is to be named by what it is.",
    "common": "From before the rule; each stands in a module of its own.",
    "participle": "From before the rule; it is to be named by a noun.",
}
_HEADS = {
    BUDGETS: "What the code of the product may hold, a folder or file a line; only downwards.",
    NAMES: "Names that break a rule of test_names.py, each with its reason; only fewer.",
    WORDS: "Words of words.py that each file still says; only fewer. A phrase may be allowed.",
}


def read(root: Path, name: str) -> dict[str, object]:
    """A data file of a checkout; empty where it has none."""
    path = root / FOLDER / name
    return tomllib.loads(path.read_text()) if path.exists() else {}


def read_budget(root: Path) -> Budget:
    return cast("Budget", read(root, BUDGETS))


def measured(modules: Sequence[Module]) -> Budget:
    """What ``budgets.toml`` says of a checkout, but for the lines, which are as they are."""
    lines: Counter[str] = Counter()
    for module in modules:
        lines[module.path.split("/")[0]] += counts.lines(module)
    return {
        "lines": dict(lines),
        "any": counts.by_area(modules, counts.any_uses),
        "lookups": counts.by_area(modules, counts.text_lookups),
        "fragments": counts.by_area(modules, lambda module: len(counts.fragments(module))),
        "flat_files": counts.full_folders(modules),
        "functions": counts.long_functions(modules),
        "step_tables": counts.step_tables(modules),
    }


def departures(found: Mapping[str, int], budget: Mapping[str, int], what: str) -> list[str]:
    """Sentences on what is more than its budget, and on budgets that can be lowered."""
    said = []
    for key in sorted({*found, *budget}):
        number, most = found.get(key, 0), budget.get(key, 0)
        if number > most:
            said.append(f"{key}: {number} {what}, and the budget is {most}.")
        elif number < most:
            said.append(f"{key}: {number} {what}; lower the budget of {most} with `{COMMAND}`.")
    return said


def line_departures(found: Mapping[str, int], budget: Mapping[str, int]) -> list[str]:
    """The same for lines, which may be fewer by two steps before that has to be written down."""
    near = {
        key: budget[key] if 0 <= budget[key] - number < 2 * LINES else number
        for key, number in found.items()
        if key in budget
    }
    return departures({**found, **near}, budget, "lines")


@dataclass(frozen=True)
class AllowedPhrase:
    """A phrase in which words of the list are meant."""

    phrase: str
    reason: str


def allowed_phrases(root: Path) -> list[AllowedPhrase]:
    entries = cast("list[dict[str, str]]", read(root, WORDS).get("allowed", []))
    return [AllowedPhrase(entry["phrase"], entry["reason"]) for entry in entries]


def word_hits(modules: Iterable[Module], root: Path) -> dict[str, list[words.Hit]]:
    """Every word of the list that a file says."""
    phrases = [allowed.phrase for allowed in allowed_phrases(root)]
    texts = words.all_texts(modules, root)
    return {path: words.hits(said, phrases) for path, said in texts.items()}


def phrases_in_use(modules: Iterable[Module], root: Path) -> list[AllowedPhrase]:
    """Allowed phrases without which a word of the list would be found."""
    texts = [text for said in words.all_texts(modules, root).values() for text in said]
    return [
        allowed
        for allowed in allowed_phrases(root)
        if words.hits(text for text in texts if allowed.phrase.lower() in text.value.lower())
    ]


def allowed_names(root: Path) -> dict[names.Offence, str]:
    """The names that are allowed, with the reason of each."""
    rules = cast("dict[str, list[dict[str, str]]]", read(root, NAMES))
    return {
        names.Offence(rule, entry["name"], entry["where"]): entry["reason"]
        for rule, entries in rules.items()
        for entry in entries
    }


def reason_of(offence: names.Offence, known: Mapping[names.Offence, str]) -> str:
    """The reason that a name has; that of its namesakes for one that was moved."""
    if offence in known:
        return known[offence]
    same = {
        reason
        for other, reason in known.items()
        if (other.rule, other.name) == (offence.rule, offence.name)
    }
    return same.pop() if len(same) == 1 else _REASONS[offence.rule]


def write(root: Path, more: bool = False) -> list[str]:
    """Write all data files of a checkout anew, in the order of the names.

    Args:
        more: Also where a sum rises; else nothing is written then.

    Returns:
        Sentences on the sums that rise.
    """
    modules = product(root)
    found = measured(modules)
    found["lines"] = {key: -(-number // LINES) * LINES for key, number in found["lines"].items()}
    said = words.counted(word_hits(modules, root))
    offences = names.offences(modules)
    rising = [
        *_rising(_sums(read_budget(root)), _sums(found)),
        *_rising(_by_rule(word_budget(root)), _by_rule(said)),
        *_rising(_of_names(allowed_names(root)), _of_names(offences)),
    ]
    if more or not rising:
        known = allowed_names(root)
        phrases = phrases_in_use(modules, root)
        _write(root, BUDGETS, _tables(found))
        _write(root, NAMES, _names(offences, known))
        _write(
            root, WORDS, [_array("allowed", [asdict(one) for one in phrases]), *_word_lines(said)]
        )
    return rising


def word_budget(root: Path) -> Budget:
    """How often each file may say which words."""
    return cast("Budget", read(root, WORDS).get("files", {}))


def _sums(budget: Budget) -> dict[str, int]:
    return {table: sum(numbers.values()) for table, numbers in budget.items()}


def _by_rule(files: Budget) -> dict[str, int]:
    found: Counter[str] = Counter()
    for numbers in files.values():
        found.update(numbers)
    return {f"words ({rule})": number for rule, number in found.items()}


def _of_names(offences: Iterable[names.Offence]) -> dict[str, int]:
    return dict(Counter(f"names ({offence.rule})" for offence in offences))


def _rising(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """Sums that are higher than before; none where there was no data file."""
    return [
        f"{key}: {before.get(key, 0)} before, {number} now."
        for key, number in sorted(now.items())
        if before and number > before.get(key, 0)
    ]


def _write(root: Path, name: str, parts: Iterable[str]) -> None:
    head = f"# {_HEADS[name]}\n# Written by `{COMMAND}`.\n"
    (root / FOLDER / name).write_text("\n".join([head, *parts]).rstrip("\n") + "\n")


def _tables(budget: Budget) -> list[str]:
    quoted: Callable[[str], str] = json.dumps
    return [
        f"[{table}]\n" + "".join(f"{quoted(key)} = {numbers[key]}\n" for key in sorted(numbers))
        for table, numbers in budget.items()
    ]


def _names(offences: Sequence[names.Offence], known: Mapping[names.Offence, str]) -> list[str]:
    """An array a rule, an entry a line."""
    return [
        _array(
            rule,
            [
                {"name": one.name, "where": one.where, "reason": reason_of(one, known)}
                for one in offences
                if one.rule == rule
            ],
        )
        for rule in _REASONS
    ]


def _array(key: str, entries: Sequence[Mapping[str, str]]) -> str:
    lines = [
        f"  {{ {', '.join(f'{name} = {json.dumps(text)}' for name, text in entry.items())} }},\n"
        for entry in entries
    ]
    return f"{key} = [\n{''.join(lines)}]\n"


def _word_lines(said: Budget) -> list[str]:
    lines = ["[files]"]
    for path, numbers in said.items():
        inside = ", ".join(f"{json.dumps(rule)} = {number}" for rule, number in numbers.items())
        lines.append(f"{json.dumps(path)} = {{ {inside} }}")
    return lines
