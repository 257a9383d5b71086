"""The words of the product: its field's own, in texts, docstrings and pages."""

from __future__ import annotations

import pytest

from tests.architecture import budgets
from tests.architecture.checkout import ROOT, made_up, product
from tests.architecture.words import Hit, Text, counted, hits, texts_of_module, texts_of_page

# How often each file says which word is in word_budget.toml, with the phrases that are allowed.


def test_files_say_no_more_of_the_words_than_they_did() -> None:
    said = budgets.word_hits(product(), ROOT)
    numbers, budget = counted(said), budgets.word_budget(ROOT)
    departures = {
        path: [*found, *[f"line {hit.line}: {hit.said}" for hit in said.get(path, [])]]
        for path in sorted({*numbers, *budget})
        if (found := budgets.departures(numbers.get(path, {}), budget.get(path, {}), "times"))
    }
    assert not departures, "\n".join(
        f"{path}: {'; '.join(one)}" for path, one in departures.items()
    )


def test_phrases_that_are_allowed_are_said_and_have_a_reason() -> None:
    allowed = budgets.allowed_phrases(ROOT)
    assert budgets.phrases_in_use(product(), ROOT) == allowed, (
        "a phrase that is allowed is not said"
    )
    assert [one for one in allowed if len(one.reason.split()) < 4] == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("It is read anew.", "anew"),
        ("The release is taken back.", "take back"),
        ("Takes the folder; it goes on at once.", "goes on"),
        ("The target Tells what it has.", "tells"),
        ("Whatever was asked for", "asked"),
        ("The alias stands for a version.", "stands for"),
        ("Nobody reads this.", "nobody"),
        ("Something lies beside it", "in the way"),
        ("for so many seconds", "so much"),
        ("Look for a slip of the pen.", "riddle"),
        ("Light up the path", "light up"),
        ("Run the Recipe", "recipe"),
        ("What is known of a target.", "opens with a clause"),
        ("There is no target of that name.", "there is none"),
        ("No subnet was given.", "there is none"),
        (
            "It opens; it closes; it ends, which is a longer sentence than it seems.",
            "two semicolons",
        ),
        (" ".join(["word"] * 26) + ".", "long sentence"),
    ],
)
def test_a_word_of_the_list_is_found(text: str, rule: str) -> None:
    assert [hit.rule for hit in hits([Text("literal", 1, text)])] == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "It retells a slipstream.",
        "Say what is new.",
        "The heater, the wayfarer and companies.",
        " ".join(["word"] * 25) + ".",
        "One sentence; another. A second one; and so forth.",
        "color: red; border: 0; " + "QLabel { margin: 1px; } " * 10,
    ],
)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert hits([Text("literal", 1, text)]) == []


def test_keys_are_no_texts_and_titles_ask_nothing() -> None:
    source = '''
    """What is told."""
    a["recipe"], a.get("told"), f"{a['recipe']} is mended {b}"
    option(title="Will it run?", hint="Is it there?", help="Does it run?")
    '''
    found = hits(texts_of_module(made_up("studio/a.py", source)))
    assert sorted(hit.rule for hit in found) == [
        "asks", "asks", "opens with a clause", "riddle", "tells",
    ]  # fmt: skip


def test_pages_are_read_without_their_code_and_with_the_lines_of_their_hits() -> None:
    page = (
        "# What is told\n\nA `recipe` is [a file](recipe.md):\n\n```\ntold beside\n```\n\n"
        "- one\n- two goes on.\n\n| a | whoever |\n"
    )
    assert hits(texts_of_page(page)) == [
        Hit("tells", 1, "told"),
        Hit("opens with a clause", 1, "what is"),
        Hit("goes on", 10, "goes on"),
        Hit("nobody", 12, "whoever"),
    ]


def test_a_phrase_can_be_allowed() -> None:
    texts = [Text("page", 1, "A Heat scale, and the heat.")]
    assert len(hits(texts)) == 2
    assert hits(texts, ["heat scale"]) == [Hit("riddle", 1, "heat")]
