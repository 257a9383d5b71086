"""Page, PDF and card of a dossier: states, hostile texts, and nothing that runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from studio.features.evidence.dossier.card import data_card, model_card
from studio.features.evidence.dossier.document import dossier_json
from studio.features.evidence.dossier.outline import Dossier, WrittenAnswer, outline
from studio.features.evidence.dossier.page import dossier_page
from studio.features.evidence.dossier.pdf import dossier_pdf
from studio.features.evidence.dossier.statement import Picture, Statement, StatementTable
from studio.features.evidence.frameworks.catalogue import shipped
from studio.features.evidence.frameworks.subjects import FORM, subjects
from studio.features.evidence.results import ASKED, MISSING, PRESENT, AssessedVersion, Figure
from tests.features.evidence.bom.made import BOM

HOSTILE = "<script>alert(1)</script> & <a href='x'>y</a> \x00\x1b[31m </p>"
FIGURE = Figure("quality", "Top-1 accuracy", 0.9978, 0.987, 0.9996, count=450, file="records/a.csv")


@pytest.fixture
def dossier() -> Dossier:
    made = [
        Statement(
            "quality.metrics",
            note="measured",
            paragraphs=(HOSTILE,),
            tables=(StatementTable((HOSTILE, "n"), ((HOSTILE, 1.5), (None, 2)), HOSTILE, " n"),),
            figures=(FIGURE,),
            pictures=(Picture("explanations/maps.png", HOSTILE),),
        )
    ]
    answers = {"intended.use": WrittenAnswer(HOSTILE, HOSTILE, "2026-11-30T22:00:00+00:00")}
    return outline(
        AssessedVersion(HOSTILE, "int8", "ab" * 32, 2),
        "2026-11-30T22:00:00+00:00",
        {"edgewright": "0"},
        made,
        answers,
        shipped(),
        {"records/a.csv": HOSTILE},
    )


def test_every_subject_has_a_state(dossier: Dossier) -> None:
    states = {one.id: one.state for one in dossier.sections}
    assert set(states) == set(subjects())
    assert states["quality.metrics"] == states["intended.use"] == PRESENT
    assert states["quality.groups"] == MISSING
    asked = {name for name, one in subjects().items() if one.source == FORM} - {"intended.use"}
    assert {name for name, state in states.items() if state == ASKED} == asked


def test_a_page_shows_hostile_texts_and_runs_nothing(dossier: Dossier) -> None:
    page = dossier_page(dossier)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert re.findall(r'(?:src|href)="(?!#|records/|explanations/)([^"]*)"', page) == []


def test_anchors_of_a_page_lead_to_a_heading(dossier: Dossier) -> None:
    page = dossier_page(dossier)
    anchors = re.findall(r'href="#([^"]*)"', page)
    assert anchors
    assert set(anchors) <= set(re.findall(r'id="([^"]*)"', page))


def test_a_pdf_has_the_same_content_and_equal_bytes(dossier: Dossier, tmp_path: Path) -> None:
    (tmp_path / "explanations").mkdir()
    Image.new("RGB", (40, 20)).save(tmp_path / "explanations/maps.png")
    content = dossier_pdf(dossier, tmp_path)
    assert content.startswith(b"%PDF-")
    assert content == dossier_pdf(dossier, tmp_path)
    for word in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile"):
        assert word not in content


def test_a_card_shows_texts_without_markup(dossier: Dossier) -> None:
    card = model_card(dossier)
    assert "<script" not in card
    assert "## Intended use" in card
    assert "0.9978" in card


def test_a_card_of_the_data_names_what_is_missing(dossier: Dossier) -> None:
    card = data_card(dossier)
    assert "<script" not in card
    assert card.startswith("# Data card: ")
    assert "**Training data**: asked." in card


def test_the_document_holds_each_figure(dossier: Dossier) -> None:
    statements = json.loads(dossier_json(dossier, BOM))["statements"]
    found = [figure["id"] for one in statements for figure in one["figures"]]
    assert found == ["quality"]


def test_no_document_calls_anything_compliant(dossier: Dossier) -> None:
    texts = dossier_page(dossier) + model_card(dossier) + dossier_json(dossier, BOM)
    assert "compliant" not in texts.lower()
