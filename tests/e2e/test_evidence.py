"""``studio evidence`` as a user types it: frameworks, a screening, answers, and bad input."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from studio.features.evidence.frameworks.questionnaire import questionnaire
from tests.e2e.conftest import Ended, Studio

pytestmark = pytest.mark.slow

_NO = [
    word for one in questionnaire().questions for word in ("--answer", f"{one.id}=no")
]  # fmt: skip
OWN = """id = "acme"
title = "ACME policy"
jurisdiction = "ACME"
source = "Internal policy 7"
as_of = 2026-11-01
note = "Paraphrases."
checked = "With the policy."

[[sections]]
id = "p-1"
cite = "Page 1"
heading = "Uses"
wants = "State what it is for."
subjects = ["intended.use"]
cites = ["eu-ai-act:art-9"]
"""


@pytest.fixture
def studio(tmp_path: Path, digits: Path) -> Studio:
    made = Studio(tmp_path)
    shutil.copy(digits / "digits.onnx", tmp_path / "digits.onnx")
    return made


def refused(ended: Ended, code: int, sentence: str) -> None:
    assert ended.code == code
    assert ended.err.startswith(f"studio: {sentence}")
    assert "Traceback" not in ended.err


def test_from_the_frameworks_to_a_half_filled_form(studio: Studio) -> None:
    listed = studio.ok("evidence", "frameworks")["frameworks"]
    assert [one["id"] for one in listed][:2] == ["eu-ai-act", "nist-ai-rmf"]
    act = studio.ok("evidence", "frameworks", "eu-ai-act")
    assert {one["id"]: one["day"] for one in act["dates"]}["annex-iii"] == "2027-12-02"

    first = studio.ok("evidence", "screen", "digits.onnx")
    assert first["outcome"] == "asked"
    assert studio.ok("evidence", "screen", "digits", *_NO, "--by", "Ada")["outcome"] == "minimal"
    last = studio.ok("evidence", "screen", "digits", "--answer", "employment=yes", "--by", "Bo")
    assert last["outcome"] == "high-risk"
    assert last["reasons"][0]["cites"] == ["eu-ai-act:annex-iii.4"]

    said = studio.ok(
        *("evidence", "answer", "digits", "intended.use"), *("--text", "Reads digits", "--by", "A")
    )
    assert said["answer"]["text"] == "Reads digits"
    open_questions = studio.ok("evidence", "ask", "digits")["questions"]
    assert len(open_questions) == said["open"]
    assert "intended.use" not in {one["id"] for one in open_questions}

    answers = studio.ok("evidence", "answers", "digits", "--history")["answers"]
    assert len(answers) == len(questionnaire().questions) + 2
    assert answers[-1]["by"] == "A"
    latest = studio.ok("evidence", "answers", "digits")["answers"]
    assert len(latest) == len(answers) - 1


def test_a_framework_of_the_user_takes_part(studio: Studio) -> None:
    (studio.home / "acme.toml").write_text(OWN)
    own = ("--framework", "acme.toml")
    assert studio.ok("evidence", "frameworks", *own)["frameworks"][-1]["id"] == "acme"
    rows = studio.ok("evidence", "crosswalk", *own)["crosswalk"]
    assert rows[0]["sections"]["acme"] == []
    assert next(one for one in rows if one["subject"] == "intended.use")["sections"]["acme"]
    found = studio.ok("evidence", "ask", *own)["questions"]
    assert "acme:p-1" in next(one for one in found if one["id"] == "intended.use")["sections"]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("art-9", "art-999", "acme.toml, line 15, column 1: unknown article of eu-ai-act"),
        ("intended.use", "use", "acme.toml, line 14, column 1: unknown subject 'use'"),
        ("2026-11-01", "'today'", "acme.toml, line 5, column 1: as_of must be a day"),
        ("heading", "head", "acme.toml, line 12, column 1: unknown key 'head'"),
        ('"acme"', '"acme', "acme.toml, line 1, column 11: this is not TOML"),
    ],
)
def test_a_wrong_framework_file(studio: Studio, before: str, after: str, sentence: str) -> None:
    (studio.home / "acme.toml").write_text(OWN.replace(before, after, 1))
    ended = studio.run("evidence", "frameworks", "--framework", "acme.toml")
    refused(ended, 2, sentence)


def test_wrong_answers_leave_no_form(studio: Studio) -> None:
    studio.ok("evidence", "ask", "digits.onnx")
    answer = ("evidence", "answer", "digits")
    by = ("--by", "A")
    refused(studio.run(*answer, "nothing", "--text", "x", *by), 2, "Unknown subject 'nothing'")
    refused(studio.run(*answer, "intended.use", "--text", " ", *by), 2, "The answer is empty.")
    refused(
        studio.run(*answer, "intended.use", "--text", "\x1b[31m", *by),
        2,
        "The answer has control characters",
    )
    screen = ("evidence", "screen", "digits", "--answer")
    refused(studio.run(*screen, "education=maybe", *by), 2, "'maybe' is no answer")
    refused(studio.run(*screen, "education=no"), 2, "Name who answers.")
    refused(studio.run("evidence", "ask", "numbers"), 2, "")
    assert not list(studio.home.rglob("*.evidence.json"))


def test_a_damaged_form_is_one_sentence_and_stays(studio: Studio) -> None:
    studio.ok("evidence", "answer", "digits.onnx", "misuse", "--text", "x", "--by", "A")
    file = next(studio.home.rglob("*.evidence.json"))
    file.write_text('{"schema": 1, "answers": [{}]}')
    ended = studio.run("evidence", "answer", "digits", "misuse", "--text", "y", "--by", "A")
    refused(ended, 1, f"{file} is not a form of answers.")
    assert json.loads(file.read_text()) == {"schema": 1, "answers": [{}]}


def test_nothing_that_is_printed_claims_to_fulfil_a_law(studio: Studio) -> None:
    studio.ok("evidence", "screen", "digits.onnx", *_NO, "--by", "Ada")
    printed = ""
    for words in (
        ["frameworks"],
        *(["frameworks", one] for one in ("eu-ai-act", "nist-ai-rmf", "iso-42001")),
        *(["frameworks", one] for one in ("us-co-sb26-189", "us-tx-hb149")),
        ["crosswalk"],
        ["ask"],
        ["screen", "digits"],
        ["answers", "digits"],
        ["--help"],
    ):
        ended = studio.run("evidence", *words)
        assert ended.code == 0
        printed += ended.out
    assert not re.search("complian|comply", printed, re.IGNORECASE)
    assert "not checked against the source" in printed
    assert "It is not legal advice." in printed
