"""The notice for users: from answers to the bundle, the board, and back with a rollback."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.e2e.conftest import Studio

pytestmark = pytest.mark.slow

URL = "https://camera-7.example:8477/about"
TARGET = "local/notice-test"


def answered(studio: Studio, text: str) -> None:
    studio.ok("evidence", "answer", "risk", "intended.use", "--text", text, "--by", "Ada Author")


@pytest.fixture
def triage(studio: Studio) -> Path:
    folder = studio.home / "triage"
    studio.ok("samples", "get", "triage", "--out", folder)
    studio.ok("groups", folder / "risk/model.onnx")
    answered(studio, "Shows <b>priorities</b> to nurses.")
    return folder


def about(studio: Studio) -> Any:
    status = studio.ok("monitor", "--target", TARGET)
    with urllib.request.urlopen(f"{status['endpoint']}/edgewright/about", timeout=20) as answer:
        return json.loads(answer.read())


def test_the_notice_is_shown_and_exported_with_a_code(studio: Studio, triage: Path) -> None:
    out = studio.home / "notice"
    found = studio.ok("evidence", "notice", triage, "--url", URL, "--out", out)
    one = found["notice"]["serves"][0]
    assert one["purpose"] == "Shows <b>priorities</b> to nurses."
    assert "AUC and calibration hold for this population alone." in one["limits"]
    assert any("Lowest measured quality of a group" in line for line in one["limits"])
    assert any("between 0.1 and 0.3 is left to a person" in line for line in one["limits"])
    assert "appeal" in found["open"]
    page = (out / "about.html").read_text()
    assert page == found["page"]
    assert "Shows &lt;b&gt;priorities&lt;/b&gt; to nurses." in page
    assert "Ada Author" not in page
    assert str(studio.home) not in page
    assert json.loads((out / "about.json").read_text()) == found["notice"]
    assert decoded((out / "qr.svg").read_text()) == URL


def decoded(svg: str) -> str:
    """Read a QR code with OpenCV."""
    box = re.search(r'viewBox="0 0 (\d+)', svg)
    assert box is not None
    pixels = np.full((int(box[1]),) * 2, 255, np.uint8)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1", svg):
        pixels[int(y), int(x)] = 0
    large = np.kron(pixels, np.ones((8, 8), np.uint8))
    return str(cv2.QRCodeDetector().detectAndDecode(large)[0])


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("javascript:alert(1)", "must begin with https:// or http://"),
        ("https://ann:secret@camera/about", "has a login"),
        ("https://camera/\u202eabout", "must be printable ASCII"),
        ("https://camera/" + "a" * 600, "must be printable ASCII of up to 500"),
        ("https://[camera/about", "must begin with https:// or http://"),
    ],
)
def test_an_address_that_no_sign_may_have_is_refused(
    studio: Studio, digits: Path, address: str, sentence: str
) -> None:
    ended = studio.run("evidence", "notice", digits / "digits.onnx", "--url", address)
    assert ended.code == 2
    assert sentence in ended.err


@pytest.mark.long
def test_a_board_shows_the_notice_of_its_version(studio: Studio, triage: Path) -> None:
    try:
        first = studio.ok("deploy", triage, "--target", TARGET)
        assert about(studio)["serves"][0]["purpose"] == "Shows <b>priorities</b> to nurses."
        answered(studio, "Teaches nurses.")
        second = studio.ok("deploy", triage, "--target", TARGET)
        assert second["release"] != first["release"]
        assert about(studio)["serves"][0]["purpose"] == "Teaches nurses."
        studio.ok("rollback", "--target", TARGET)
        assert about(studio)["serves"][0]["purpose"] == "Shows <b>priorities</b> to nurses."
        older = studio.ok("evidence", "notice", "risk:1")
        assert older["notice"]["serves"][0]["purpose"] == "Shows <b>priorities</b> to nurses."
        assert older["version"] == 1
    finally:
        studio.run("undeploy", "--target", TARGET, "--purge")
