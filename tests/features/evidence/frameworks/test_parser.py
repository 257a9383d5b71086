"""A framework file is read strictly: each mistake is one sentence with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.documents.toml_text import TomlText
from studio.features.evidence.frameworks.catalogue import frameworks, section_ids, shipped
from studio.features.evidence.frameworks.fields import MOST_BYTES, MOST_ROWS
from studio.features.evidence.frameworks.parser import parse_framework, read_framework
from studio.features.evidence.frameworks.results import Framework

HEAD = """id = "acme"
title = "ACME policy"
jurisdiction = "ACME"
source = "Internal policy 7"
as_of = 2026-11-01
note = "Paraphrases."
checked = "With the policy."
"""
DATE = """
[[dates]]
id = "start"
day = 2027-01-01
text = "All of it"
source = "Page 1"
"""
SECTION = """
[[sections]]
id = "p-1"
cite = "Page 1"
heading = "Uses"
wants = "Say what it is for."
applies = ["start"]
subjects = ["intended.use"]
cites = ["eu-ai-act:art-9"]
"""
WHOLE = HEAD + DATE + SECTION


def parsed(text: str) -> Framework:
    return parse_framework(TomlText.read(text, "acme.toml"), section_ids(shipped()), own=True)


def sentence(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parsed(text)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_file_of_the_user_is_a_framework() -> None:
    found = parsed(WHOLE)
    assert found.as_of == "2026-11-01"
    assert found.own
    assert found.dates[0].day == "2027-01-01"
    assert found.sections[0].subjects == ("intended.use",)
    assert found.sections[0].cites == ("eu-ai-act:art-9",)


def test_what_is_not_called_verified_is_not() -> None:
    found = parsed(WHOLE)
    assert not found.verified
    assert not found.dates[0].verified
    assert not found.sections[0].verified


def test_a_section_can_differ_from_its_framework_in_being_verified() -> None:
    text = HEAD + "verified = true\n" + DATE + SECTION + "verified = false\n"
    found = parsed(text)
    assert found.verified
    assert not found.sections[0].verified


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('cites = ["eu-ai-act:art-9"]', 'cites = ["eu-ai-act:art-99"]', "line 22, column 1"),
        ("eu-ai-act:art-9", "eu-ai-act:art-99", "unknown article of eu-ai-act 'art-99'"),
        ("eu-ai-act:art-9", "eu-ai:art-9", "unknown framework 'eu-ai'; the nearest is 'eu-ai-act'"),
        ("eu-ai-act:art-9", "art-9", "unknown framework 'art-9'"),
        ("intended.use", "intended.us", "unknown subject 'intended.us'; the nearest"),
        ('"start"]', '"begin"]', "unknown date 'begin'"),
        ("2027-01-01", '"2027-01-01"', "line 11, column 1: day must be a day"),
        ("2027-01-01", "2027-01-01T10:00:00", "day must be a day"),
        ("2027-01-01", "2027-13-01", "this is not TOML"),
        ("as_of = 2026-11-01\n", "", "as_of is missing"),
        ("heading =", "headline =", "unknown key 'headline'; the nearest is 'heading'"),
        ("note =", "notes =", "unknown key 'notes'"),
        ('wants = "Say what it is for."\n', "", "wants is missing"),
        ("Say what it is for.", "two\\nlines", "wants must be a text of one line"),
        ("Say what it is for.", "\\u001b[31m", "wants must be a text of one line"),
        ("Say what it is for.", "x" * 601, "wants is longer than 600 characters"),
        ('"p-1"', '"P 1"', "id must be small letters and digits"),
        ('"p-1"', '"../p"', "id must be small letters and digits"),
        ('"p-1"', '""', "id must be a text"),
        ('["intended.use"]', '"intended.use"', "subjects must be a list of texts"),
        ('["intended.use"]', '["misuse", "misuse"]', "subjects must have up to 64 different"),
        ("as_of", 'url = "http://a.b"\nas_of', "url must begin with https://"),
        ("as_of", "verified = 1\nas_of", "verified must be true or false"),
        ("as_of", "articles = 0\nas_of", "articles must be a whole number"),
        ("as_of", "headings_only = true\nas_of", "a framework of headings alone has no wants"),
        ("[[sections]]", "[sections]", "it needs an array of tables, [[sections]]"),
        ("[[dates]]", "[dates]", "it needs an array of tables, [[dates]]"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(before: str, after: str, expected: str) -> None:
    text = WHOLE.replace(before, after, 1)
    assert text != WHOLE
    found = sentence(text)
    assert found.startswith("acme.toml")
    assert expected in found


def test_a_section_or_a_date_that_stands_twice_is_refused() -> None:
    assert "the section 'p-1' stands twice" in sentence(WHOLE + SECTION)
    assert "the date 'start' stands twice" in sentence(HEAD + DATE + DATE + SECTION)


def test_without_sections_it_is_no_framework() -> None:
    assert "it needs an array of tables" in sentence(HEAD)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("art-114", "unknown article '114': the source has article 1 to 113"),
        ("art-0", "unknown article '0'"),
        ("art-99999999999999999999.2", "unknown article"),
        ("annex-xv.1", "unknown annex 'xv': the source has annex 1 to 14"),
    ],
)
def test_an_article_beyond_the_last_is_unknown(name: str, expected: str) -> None:
    text = WHOLE.replace("as_of", "articles = 113\nannexes = 14\nas_of").replace("p-1", name)
    assert expected in sentence(text)


@pytest.mark.parametrize("name", ["art-113", "art-1.1.a", "annex-xiv", "annex-iv.2.g", "artist"])
def test_an_article_that_exists_is_known(name: str) -> None:
    text = WHOLE.replace("as_of", "articles = 113\nannexes = 14\nas_of").replace("p-1", name)
    assert parsed(text).sections[0].id == name


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    large, pipe, binary = tmp_path / "large.toml", tmp_path / "pipe.toml", tmp_path / "b.toml"
    large.write_text("#" * (MOST_BYTES + 1))
    os.mkfifo(pipe)
    binary.write_bytes(b"\xff\xfe\x00")
    expected = {
        large: "is larger than 256 KB.",
        pipe: "is not a file.",
        binary: "is not UTF-8 text.",
        tmp_path / "missing.toml": "cannot be read: No such file or directory.",
        tmp_path: "is not a file.",
    }
    for file, end in expected.items():
        with pytest.raises(UsageError) as caught:
            read_framework(file)
        assert caught.value.message == f"{file} {end}"


def test_rows_are_counted_before_they_are_read() -> None:
    text = HEAD + "".join(f'[[sections]]\nid = "s-{n}"\n' for n in range(MOST_ROWS + 1))
    assert f"more than {MOST_ROWS} [[sections]]" in sentence(text)


def test_a_file_of_the_user_takes_no_id_of_another(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(WHOLE.replace('"acme"', '"eu-ai-act"'))
    with pytest.raises(UsageError, match="the id 'eu-ai-act' is taken"):
        frameworks([file])


def test_a_later_file_of_the_user_may_cite_an_earlier_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text(WHOLE)
    second.write_text(WHOLE.replace('"acme"', '"beta"').replace("eu-ai-act:art-9", "acme:p-1"))
    found = frameworks([first, second])
    assert [one.id for one in found[-2:]] == ["acme", "beta"]
    with pytest.raises(UsageError, match="unknown framework 'acme'"):
        frameworks([second, first])
