"""The modes of a profile: columns, chart and options of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.profile import modes as profile_modes
from studio.gui.pages.profile.page import ProfilePage
from tests.gui.page_rig import Rig, opened, texts
from tests.gui.pages.profile.test_page import RESULT, run


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


MODES = {
    "throughput": (
        {
            "throughput": {
                "settings": [
                    {"streams": 2, "batch": 8, "per_second": 5310.2, "low": 5200.0, "high": 5400.0}
                ],
                "best": {"streams": 2, "batch": 8, "per_second": 5310.2},
            }
        },
        ["5,310", "2 × 8"],
        "fp32 5310 with 2 × 8",
    ),
    "open-loop": (
        {
            "open_loop": {
                "limit_ms": 20.0,
                "rate_per_second": 141.0,
                "trials": [
                    {"rate": rate, "latency_ms": {"p50": 5.0, "p99": 0.1 * rate}}
                    for rate in (100.0, 160.0)
                ],
            }
        },
        ["141", "20"],
        "fp32 p99 from 10 to 16. The limit is 20.",
    ),
    "sustained": (
        {
            "sustained": {
                "series": [
                    {"t_s": 1.0, "p50_ms": 7.0, "spoiled": []},
                    {"t_s": 2.0, "p50_ms": 9.0, "spoiled": ["throttled"]},
                ],
                "start_ms": 7.0,
                "end_ms": 9.0,
            }
        },
        ["7.00", "9.00"],
        "fp32 from 7 to 9. Throttled for 1 seconds.",
    ),
}


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_has_its_columns_and_its_chart(rig: Rig, mode: str) -> None:
    values, columns, told = MODES[mode]
    variant = rig.variant()
    result = {**RESULT, "mode": mode, "runs": [run("fp32", None, **values)], "verdicts": []}
    rig.registry.add_run("profile", variant.id, {}, result)
    page = rig.page(ProfilePage, variant)
    assert texts(page.results.table)[0][4:6] == columns
    heading = page.results.table.horizontalHeaderItem(4)
    assert heading is not None
    assert heading.text() == profile_modes.HEADINGS[mode][0]
    assert told in page.results.distribution.accessibleDescription()


def test_the_options_are_those_of_the_mode(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    assert page.form.fields["seconds"].isVisible()
    assert not page.form.fields["minutes"].isVisible()
    page.form.set_values({"mode": "sustained"})
    assert page.form.fields["minutes"].isVisible()
    assert not page.form.fields["seconds"].isVisible()


def test_points_come_while_it_runs(rig: Rig, qtbot: QtBot) -> None:
    page = rig.page(ProfilePage, rig.variant())
    page.form.set_values({"mode": "sustained"})
    page.run()
    common = {"id": "digits:fp32", "model": "digits:fp32", "variant": "fp32"}
    names = {"backend": "onnxruntime", "runtime": "onnxruntime"}
    rig.message(page, "run", **common, **names, state="measuring", reason="")
    for second in (1.0, 2.0):
        point = {"t_s": second, "p50_ms": 5.0 + second, "spoiled": []}
        rig.message(page, "point", id="digits:fp32", **point)
    qtbot.wait_until(lambda: "from 6 to 7" in page.results.distribution.accessibleDescription())
