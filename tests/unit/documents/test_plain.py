"""Texts of strangers as harmless text: for terminals, CI services, readers, spreadsheets."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as texts

from studio.documents.plain import PlainLines, one_line, plain, spreadsheet_cell

ESCAPES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
COMMAND = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)

ATTACKS = {
    "the clipboard (OSC 52)": "\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07",
    "the title": "\x1b]0;owned\x1b\\",
    "colours and erased lines (CSI)": "\x1b[2K\x1b[1A\x1b[32mok",
    "the same in eight bits": "\x9b2K\x9d52;c;eA==\x9c",
    "a carriage return over our own words": "digits\rstudio: all is well",
    "backspaces": "bad\x08\x08\x08fine",
    "a direction that turns round": "photo_\u202egnp.exe\u202c",
    "an isolate": "\u2066abc\u2069",
    "a command of GitHub": "x\n::error file=a.py::owned",
    "the same behind blanks": "x\n \t::add-mask::a",
    "an old command of GitHub, and of Azure": "##[error]x ##vso[task.setvariable variable=a]b",
    "a line that a terminal sees and we do not": "x\u2028::error::y\x85::error::z",
    "half a character": "\ud800",
    "a sign that nobody sees": "a\u200bb\ufeff\U000e0041",
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_nothing_in_it_is_obeyed(text: str) -> None:
    for made in (plain(text), one_line(text)):
        assert not ESCAPES.search(made)
        assert not COMMAND.search(made)
        made.encode("utf-8")
    assert "\n" not in one_line(text)


@pytest.mark.parametrize("text", ["", "conv1/weights:0", "größe 猫 é ❤️", "a\tb", "a::b", "# one"])
def test_honest_texts_stay(text: str) -> None:
    assert plain(text) == text


def test_own_ends_of_lines_stay_and_those_in_a_value_are_seen() -> None:
    assert plain("one\ntwo\n") == "one\ntwo\n"
    assert one_line("one\ntwo") == r"one\ntwo"


@given(texts.text(alphabet=texts.sampled_from("\n\r \t:#[]vso\x1b\u202eax"), max_size=40))
def test_whatever_the_pieces_are_the_lines_are_plain(text: str) -> None:
    whole = PlainLines().add(text)
    assert not ESCAPES.search(whole)
    assert not COMMAND.search(whole)
    lines = PlainLines()
    assert "".join(lines.add(sign) for sign in text) == whole


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_formula_reaches_a_spreadsheet(text: str) -> None:
    assert spreadsheet_cell(text) == "'" + text


def test_other_values_of_a_table_stay() -> None:
    assert [spreadsheet_cell(value) for value in (-1.5, 0, "a=b", None)] == [-1.5, 0, "a=b", ""]


def test_json_says_the_same_when_it_is_escaped_for_a_ci_service() -> None:
    text = json.dumps({"##[a": "##vso[x]\\##"}).replace("##", "\\u0023\\u0023")
    assert json.loads(text) == {"##[a": "##vso[x]\\##"}
