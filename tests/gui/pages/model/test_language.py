"""Language models on the Model page: their card, and a header that fits a narrow window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from studio.documents.dataclass_json import to_json
from studio.gui.pages.model.search import FIELD_WIDTH, SearchField
from studio.gui.pages.model.summary import ModelSummary
from studio.models.results import LanguageFacts, ModelFigures, Terminal
from studio.workspace import VariantRecord
from tests.gui.page_rig import Rig, opened, visible_texts

FACTS = LanguageFacts(
    architecture="llama",
    layers=30,
    heads=9,
    kv_heads=3,
    vocabulary=49152,
    context=8192,
    tokenizer="BPE",
    chat_template="{{ messages }}",
    cache_bytes=23040,
    precisions={"q4_1": 790, "q8_0": 208, "fp32": 2},
)
CACHES = tuple(Terminal(f"past.{number}.key", "float32", (1, 3, "past", 64)) for number in range(6))


@pytest.fixture
def rig(studio_home: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def variant(rig: Rig, tmp_path: Path, facts: LanguageFacts | None) -> VariantRecord:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    registry = rig.registry
    figures = ModelFigures(inputs=CACHES, language=facts)
    return registry.add_variant(
        registry.add_model("tiny"),
        "q4_1",
        registry.adopt(path),
        format="gguf",
        precision="q4_1",
        options={},
        summary=to_json(figures),
        graph=None,
    )


@pytest.fixture
def summary(qtbot: QtBot) -> ModelSummary:
    made = ModelSummary()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def test_a_language_model_has_a_card(rig: Rig, summary: ModelSummary, tmp_path: Path) -> None:
    summary.show_variant(variant(rig, tmp_path, FACTS))
    shown = visible_texts(summary)
    for text in (
        "9 heads share 3 of keys and values",
        "q4_1 79 %, q8_0 21 %",
        "8,192 tokens",
        "23 kB a token in fp16, 188.7 MB for the whole context",
    ):
        assert text in shown
    (template,) = summary.findChildren(QPlainTextEdit)
    assert template.toPlainText() == "{{ messages }}"
    assert template.isReadOnly()
    assert template.height() > 100


def test_other_models_have_none(rig: Rig, summary: ModelSummary, tmp_path: Path) -> None:
    summary.show_variant(variant(rig, tmp_path, None))
    assert "Language model" not in visible_texts(summary)


def test_caches_of_all_layers_are_one_line(rig: Rig, summary: ModelSummary, tmp_path: Path) -> None:
    summary.show_variant(variant(rig, tmp_path, FACTS))
    assert summary._inputs.rowCount() == 1


def test_a_narrow_page_gives_the_search_less(qtbot: QtBot) -> None:
    field = SearchField()
    qtbot.addWidget(field)
    assert field.sizeHint().width() == FIELD_WIDTH
    assert field.minimumSizeHint().width() < FIELD_WIDTH / 2
