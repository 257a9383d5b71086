"""The vocabulary of evidence is read as strictly as the frameworks."""

from __future__ import annotations

import pytest

from studio.api import UsageError
from studio.documents.toml_text import TomlText
from studio.features.evidence.frameworks.subjects import parse_subjects, subject

RECORD = '[[subjects]]\nid = "a.b"\ntitle = "A"\nfrom = "records"\nrecord = "R."\n'
FORM = (
    '[[subjects]]\nid = "c"\ntitle = "C"\nfrom = "form"\n'
    'question = "Q?"\nwho = "W"\nkind = "text"\n'
)


def test_both_sources_are_read() -> None:
    found = parse_subjects(TomlText.read(RECORD + FORM, "s.toml"))
    assert found["a.b"].record == "R."
    assert found["c"].who == "W"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RECORD.replace("records", "record"), "from must be one of: records, form."),
        (RECORD.replace('record = "R."', ""), "record is missing."),
        (FORM.replace('"text"', '"choice"'), "choices belong to the kind choice"),
        (FORM + 'choices = ["x"]\n', "choices belong to the kind choice"),
        (FORM.replace('"text"', '"number"'), "kind must be one of: text, choice, date."),
        (RECORD + RECORD, "the subject 'a.b' stands twice."),
        ("a = 1\n" + RECORD, "unknown key 'a'"),
    ],
)
def test_a_mistake_is_one_sentence(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_subjects(TomlText.read(text, "s.toml"))
    assert caught.value.message.startswith("s.toml")
    assert expected in caught.value.message


def test_an_unknown_subject_has_the_nearest_known_one() -> None:
    with pytest.raises(UsageError) as caught:
        subject("quality.group")
    assert (
        caught.value.message == "Unknown subject 'quality.group'; the nearest is 'quality.groups'."
    )
