"""The Profile page with a language model: options and figures in tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.profile.page import ProfilePage
from studio.registry import VariantRecord
from tests.gui.page_rig import Rig, opened, texts, visible_texts

SHOWN = ("prompt_tokens", "answer_tokens", "contexts", "streams", "seconds", "backend")
HIDDEN = ("mode", "target", "operators", "data", "batch", "minutes", "p99_limit_ms")


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def language(rig: Rig, folder: Path, name: str = "q4_1") -> VariantRecord:
    path = folder / f"smol-{name}.gguf"
    path.write_bytes(b"GGUF" + name.encode())
    return rig.registry.add_variant(
        rig.registry.add_model("smol"),
        name,
        rig.registry.adopt(path),
        format="gguf",
        precision=name,
        parent=None,
        step="open",
        options={},
        summary={"language": {"architecture": "llama", "context": 8192}},
        graph=None,
    )


def setting(streams: int, rate: float) -> dict[str, Any]:
    return {
        "streams": streams,
        "first_ms": {"p50": 812.0 * streams},
        "token_ms": {"p50": 1000 * streams / rate},
        "prefill_per_second": 158.0,
        "per_second": rate,
        "low": rate * 0.98,
        "high": rate * 1.02,
        "rounds": 20,
    }


def run(name: str, rate: float) -> dict[str, Any]:
    return {
        "id": f"smol:{name}",
        "model": f"smol:{name}",
        "variant": name,
        "backend": "llama-cpp",
        "runtime": "llama-cpp",
        "version": "0.11739",
        "device": "cpu",
        "precision": name,
        "threads": 1,
        "state": "measured",
        "latency_ms": {"p50": 1000 / rate},
        "tokens": {
            "prompts": {"count": 20, "p50": 128.0, "p95": 498.0, "answer": 32},
            "context": 768,
            "settings": [setting(1, rate), setting(2, 1.4 * rate), setting(4, 1.7 * rate)],
            "memory": [
                {"context": context, "predicted_mb": mib * 1.02, "measured_mb": mib}
                for context, mib in ((512, 182.7), (2048, 219.3), (8192, 360.4))
            ],
        },
    }


def comparison(measure: str, ratio: float) -> dict[str, Any]:
    word = "slower" if ratio > 1 else "faster"
    return {
        **{"a": "smol:q4_1", "b": "smol:q8_0", "verdict": word, "ratio": ratio},
        **{"low": ratio * 0.98, "high": ratio * 1.02, "margin": 0.03, "confidence": 0.983},
        **{"rounds": 20, "text": "", "measure": measure, "streams": 1},
    }  # fmt: skip


RESULT: dict[str, Any] = {
    "mode": "tokens",
    "environment": {"cpu": "Cortex-A76", "cores": 4, "usable_cores": 4},
    "reference": "smol:q4_1",
    "runs": [run("q4_1", 47.6), run("q8_0", 31.2)],
    "verdicts": [comparison("token", 1.52), comparison("first", 0.8)],
    "rounds": 20,
    "target": "local",
}


def profiled(rig: Rig, variant: VariantRecord) -> None:
    rig.registry.add_run("profile", variant.id, {"mode": "latency"}, RESULT)


@pytest.mark.parametrize("name", SHOWN)
def test_options_in_tokens_are_shown(name: str, rig: Rig, tmp_path: Path) -> None:
    page = rig.page(ProfilePage, language(rig, tmp_path))
    assert page.form.fields[name].isVisibleTo(page)


@pytest.mark.parametrize("name", HIDDEN)
def test_options_of_other_models_are_hidden(name: str, rig: Rig, tmp_path: Path) -> None:
    page = rig.page(ProfilePage, language(rig, tmp_path))
    assert not page.form.fields[name].isVisibleTo(page)


def test_its_own_backend_is_ticked(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(ProfilePage, language(rig, tmp_path))
    page.run()
    options = rig.shell.jobs[-1].options
    assert options["mode"] == "tokens"
    assert list(options["backend"]) == ["llama-cpp"]


def test_another_model_has_its_options_again(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(ProfilePage, language(rig, tmp_path))
    page.show_variant(rig.variant())
    page.refresh()
    assert page.form.fields["mode"].isVisibleTo(page)
    assert not page.form.fields["prompt_tokens"].isVisibleTo(page)
    assert page.form.fields["mode"].editor.value() == "latency"


def test_rows_have_tokens_a_second_and_the_first_token(
    rig: Rig, tmp_path: Path, qtbot: QtBot
) -> None:
    variant = language(rig, tmp_path)
    profiled(rig, variant)
    page = rig.page(ProfilePage, variant)
    qtbot.waitUntil(lambda: len(page.results.rows) == 2)
    assert page.results.rows[0].texts[4:6] == ("47.6", "812")
    assert "tokens/s" in [
        page.results.table.horizontalHeaderItem(x).text()
        for x in range(page.results.table.columnCount())
    ]


def test_the_headline_is_on_the_time_of_a_token(rig: Rig, tmp_path: Path, qtbot: QtBot) -> None:
    variant = language(rig, tmp_path)
    profiled(rig, variant)
    page = rig.page(ProfilePage, variant)
    qtbot.waitUntil(lambda: len(page.results.rows) == 2)
    page.results.table.selectRow(1)
    assert "q8_0 is slower than q4_1: 1.52" in visible_texts(page.outcome)


def test_tables_have_streams_and_memory_in_place_of_operators(
    rig: Rig, tmp_path: Path, qtbot: QtBot
) -> None:
    variant = language(rig, tmp_path)
    profiled(rig, variant)
    page = rig.page(ProfilePage, variant)
    qtbot.waitUntil(lambda: len(page.results.rows) == 2)
    tables = page.results.tokens
    assert texts(tables.streams)[1] == ["q4_1", "2", "1624", "158", "30.0", "66.64"]
    assert texts(tables.memory)[0][:4] == ["q4_1", "512", "186.4", "182.7"]
    assert not page.results.operators.table.isVisibleTo(page)


def test_no_sizes_are_asked_for(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(ProfilePage, language(rig, tmp_path))
    page.settings.show_open_sizes(True)
    assert not page.settings.sizes.isVisibleTo(page)
