"""Wrong words of a command line: the nearest word, the usage of the command, and what to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.cli.main import commands, main


def _error(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "usage", "words"),
    [
        ("inspct m.onnx", "usage: studio [", ["unknown command 'inspct'", "'inspect'"]),
        ("gui", "usage: studio [", ["studio open"]),
        ("status", "usage: studio [", ["studio target status", "studio fleet status"]),
        ("list", "usage: studio [", ["studio target list", "studio versions list"]),
        ("xyzzyq", "usage: studio [", ["studio --help"]),
        ("target lst", "usage: studio target [", ["unknown command 'lst'", "'list'"]),
        ("deploy --targt", "usage: studio deploy [", ["unknown option '--targt'", "'--target'"]),
        ("deploy m --targt=local", "usage: studio deploy [", ["'--targt'", "'--target'"]),
        ("target list --jsn", "usage: studio target list [", ["'--jsn'", "'--json'"]),
        ("doctor a b", "usage: studio doctor [", ["unrecognized arguments: a b"]),
        ("run p --write-ci gitlb", "usage: studio run [", ["unknown value 'gitlb'", "'gitlab'"]),
    ],
)
def test_a_wrong_word_leads_to_the_right_one(
    line: str, usage: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = _error(line, capsys)
    assert text.startswith(usage)
    assert [word for word in words if word not in text] == []
    assert sum(f"'{name}'" in text for name in commands()) <= 1  # not all of them


def test_a_file_in_place_of_a_command_leads_to_the_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.onnx").touch()
    assert f"studio open {tmp_path}/m.onnx" in _error(f"{tmp_path}/m.onnx", capsys)


@pytest.mark.parametrize(
    ("line", "usage"), [("help", "studio ["), ("help deploy", "studio deploy")]
)
def test_help_is_a_command(line: str, usage: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert (ended.value.code, capsys.readouterr().out.startswith(f"usage: {usage}")) == (0, True)
