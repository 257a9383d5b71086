"""Letters of the PDF in fonts that have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.features.evidence.dossier import pdf_fonts
from studio.features.evidence.dossier.pdf_fonts import lacking, marked, register_fonts

CITY = "\u6771\u4eac"


@pytest.fixture(autouse=True)
def _fonts() -> None:
    register_fonts()


def test_plain_texts_stay_in_one_font_and_are_escaped() -> None:
    assert marked("a <b> & \x00c") == "a &lt;b&gt; &amp;  c"
    assert marked("Москва") == "Москва"
    assert lacking("Москва, Zürich, Ελλάδα") == ""


def test_letters_of_another_font_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    known = next((one for one in pdf_fonts.SYSTEM_FONTS if Path(one).is_file()), None)
    if known is None:
        pytest.skip("No font of the list is here: fonts-droid-fallback has one.")
    monkeypatch.setattr(pdf_fonts, "SYSTEM_FONTS", (known,))
    assert marked(f"<{CITY}>") == f'&lt;<font name="{Path(known).stem}">{CITY}</font>&gt;'
    assert lacking(CITY) == ""


def test_without_such_a_font_the_letters_are_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "damaged.ttf").write_bytes(b"no font")
    fonts = (str(tmp_path / "damaged.ttf"), str(tmp_path / "absent.ttf"))
    monkeypatch.setattr(pdf_fonts, "SYSTEM_FONTS", fonts)
    assert marked(CITY) == CITY
    assert lacking(CITY * 2 + "a") == CITY
