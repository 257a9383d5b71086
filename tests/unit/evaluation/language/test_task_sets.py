"""Task sets: those that ship, those of users, and the line of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import StudioError
from studio.evaluation.language.task_score import prompts_of
from studio.evaluation.language.task_sets import find, read_set, shipped
from studio.quantization.language.fields import TASK_SETS


@pytest.mark.parametrize(
    ("name", "items", "kinds"),
    [
        ("everyday", 60, {"choice"}),
        ("facts", 40, {"exact"}),
        ("structured", 30, {"json", "tool_call"}),
        ("prompts", 24, {"open"}),
    ],
)
def test_the_shipped_sets(name: str, items: int, kinds: set[str]) -> None:
    found = read_set(find(name))
    assert len(found.items) == items
    assert {one.kind for one in found.items} == kinds
    assert found.head.version == "1"
    assert found.head.licence == "Apache-2.0"
    assert len({one.question for one in found.items}) == items


def test_the_option_lists_the_shipped_sets() -> None:
    assert sorted(TASK_SETS) == list(shipped())


def test_right_choices_are_spread_over_the_places() -> None:
    places = [one.right_choice for one in read_set(find("everyday")).items]
    assert {places.count(place) for place in range(4)} == {15}


def test_lines_of_json(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(
        '{"set": {"title": "Mine", "system": "Be brief.", "limit": 9}}\n'
        '{"question": "What is ice?", "answer": "water"}\n'
        '{"messages": [{"role": "user", "content": "Hi"}], "kind": "open", "stop": ["."]}\n'
    )
    found = read_set(file)
    assert (found.head.name, found.head.title) == ("mine", "Mine")
    first, second = prompts_of(found, 3)
    assert [tuple(one) for one in first.messages] == [
        ("system", "Be brief."),
        ("user", "What is ice?"),
    ]
    assert (first.id, first.limit, second.stop) == ("3/1", 9, (".",))


def test_a_plain_prompt_puts_a_blank_before_choices(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[set]\nkind = "choice"\nprompt = "Q: {question}\\nA:"\n'
        '[[items]]\nquestion = "One {x}?"\nchoices = ["yes", "no"]\nanswer = 1\n'
    )
    (prompt,) = prompts_of(read_set(file), 0)
    assert (prompt.text, prompt.choices) == ("Q: One {x}?\nA:", (" yes", " no"))


ITEM = '[[items]]\nquestion = "Why?"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = ", "mine.toml, line 1, column 5: this is not TOML: invalid value."),
        ("", "mine.toml has no items."),
        ("[other]\n", "Mine.toml, line 1, column 2: unknown table 'other'."),
        ('[set]\nkind = "guess"\n', "unknown kind 'guess'."),
        ('[set]\nprompt = "Q"\n', "Mine.toml, line 1, column 2: the prompt lacks {question}."),
        (f'{ITEM}answer = "a"\n{ITEM}', "Mine.toml, line 4, column 3: it has no answer."),
        (f'{ITEM}answr = "a"\n', "unknown key 'answr'; the nearest is 'answer'."),
        ("[[items]]\nanswer = 'a'\n", "an item has either a question, a prompt, or messages."),
        (f'{ITEM}kind = "choice"\nchoices = ["a"]\n', "a choice has 2 to 26 choices."),
        (f'{ITEM}kind = "choice"\nchoices = ["a", "a"]\n', "two choices are the same."),
        (
            f'{ITEM}kind = "choice"\nchoices = ["a", "b"]\nanswer = 2\n',
            "the answer is neither a choice nor its number, which begins at 0.",
        ),
        (
            f'{ITEM}kind = "choice"\nchoices = ["a", "b"]\nanswer = true\n',
            "the answer is neither a choice nor its number, which begins at 0.",
        ),
        (f'{ITEM}kind = "regex"\npattern = "("\n', "the pattern cannot be used"),
        (f'{ITEM}kind = "json"\n', "it has no schema."),
        (f'{ITEM}kind = "json"\nschema = {{type = 3}}\n', "the value of 'type' in the schema"),
        (f'{ITEM}kind = "json"\nschema = {{size = 3}}\n', "the keyword 'size', which is not known"),
        (f'{ITEM}kind = "tool_call"\n', "it names no tool."),
        (f'{ITEM}answer = "a"\nlimit = 0.5\n', "limit"),
        (f'{ITEM}answer = "a"\nlimit = -1\n', "the limit is not between 1 and 4,096 tokens."),
        (f'{ITEM}id = "x"\nanswer = "a"\n' * 2, "the id 'x' occurs twice."),
        ('[[items]]\nanswer = "a"\nmessages = [{role = "judge", content = ""}]\n', "role 'judge'"),
    ],
)
def test_what_is_wrong_has_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(StudioError) as error:
        read_set(file)
    assert sentence.lower() in error.value.message.lower()
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "mine.jsonl, line 1: this is not JSON."),
        ('{"question": "a", "answer": "b"}\n[1]\n', "mine.jsonl, line 2: this is no table."),
        ("[" * 100_000, "mine.jsonl, line 1: this is not JSON."),
    ],
)
def test_wrong_lines_of_json(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(text)
    with pytest.raises(StudioError) as error:
        read_set(file)
    assert error.value.message == sentence


def test_broken_utf_8_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"[set]\nname = '\xff'\n")
    with pytest.raises(StudioError, match="line 2: this is no UTF-8 text"):
        read_set(file)


def test_an_unknown_set_names_the_known_ones() -> None:
    with pytest.raises(StudioError) as error:
        find("everyda")
    assert "'everyday'" in error.value.message
    assert "facts" in error.value.hint
