"""The manual page, read by the formatter of manual pages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from studio.cli.main import commands, main


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str], studio_home: Path) -> str:
    assert main(["man"]) == 0
    return capsys.readouterr().out


def test_every_command_has_its_section(page: str) -> None:
    headings = [line.split()[2] for line in page.splitlines() if line.startswith(".SS studio ")]
    assert list(dict.fromkeys(headings)) == list(commands())


def test_common_flags_are_described_once(page: str) -> None:
    assert page.count("\\-\\-no\\-plugins") == 1


@pytest.mark.needs("man")
def test_the_formatter_has_no_complaint(page: str, tmp_path: Path) -> None:
    file = tmp_path / "studio.1"
    file.write_text(page, encoding="utf-8")
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(file)],
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "130    Cancelled." in done.stdout
    assert "studio backends install" in done.stdout
