"""Edits of ``app.toml``: only the value changes, or nothing does."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest

from studio.api import InvalidData
from studio.features.apps.edit import digest_of, save_settings, with_settings

APP = """\
# The gate of the yard.
name = "gate"   # a name

[steps.cross]  # the line
type = 'line'
input = "people"
start = [
    10, # left
    20,
] # begins here
end = [ 30.5, 40 ]# ends here
note = \"\"\"
[steps.cross]
start = [1, 2]
\"\"\"

# About the door.
[steps."door.2"]
type = "zone"
area = [[0, 0], [9, 0], [9, 9]]

[[extra]]
start = [5, 5]
"""


def test_only_the_value_changes() -> None:
    changed = with_settings(APP, ("steps", "cross"), {"start": [11, 22], "end": [33, 44.5]})
    expected = APP.replace("[\n    10, # left\n    20,\n]", "[11, 22]")
    assert changed == expected.replace("[ 30.5, 40 ]", "[33, 44.5]")


def test_a_quoted_name_is_found() -> None:
    changed = with_settings(APP, ("steps", "door.2"), {"area": [[1, 1], [2, 2], [3, 1]]})
    assert changed == APP.replace("[[0, 0], [9, 0], [9, 9]]", "[[1, 1], [2, 2], [3, 1]]")


def test_a_new_key_stands_below_the_last_one() -> None:
    changed = with_settings(APP, ("steps", "cross"), {"area": [[1, 2], [3, 4], [5, 6]]})
    added = "area = [[1, 2], [3, 4], [5, 6]]\n"
    assert changed == APP.replace('"""\n\n# About', f'"""\n{added}\n# About')


def test_a_table_without_keys_takes_one() -> None:
    assert with_settings("[steps.a]", ("steps", "a"), {"x": 1}) == "[steps.a]\nx = 1"


def test_line_ends_of_windows_stay() -> None:
    text = APP.replace("\n", "\r\n")
    changed = with_settings(text, ("steps", "door.2"), {"area": [[1, 1], [2, 2], [3, 1]], "x": 1})
    assert "\n" not in changed.replace("\r\n", "")
    assert tomllib.loads(changed)["steps"]["door.2"]["x"] == 1


@pytest.mark.parametrize(
    "text",
    [
        'steps = { cross = { type = "line", start = [1, 2] } }',
        '[steps]\ncross = { type = "line", start = [1, 2] }',
        "[steps]\ncross.start = [1, 2]",
        "[steps.other]\nstart = [1, 2]",
        "[[steps]]\nstart = [1, 2]",
        '[steps.cross]\n"start".x = 1',
        "[steps.cross.start]\nx = 1",
    ],
)
def test_other_forms_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InvalidData, match=r"no table \[steps\.cross\] that can be edited here\."):
        with_settings(text, ("steps", "cross"), {"start": [3, 4]})


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(InvalidData, match="is not TOML"):
        with_settings("[steps.cross", ("steps", "cross"), {"start": [3, 4]})


@pytest.mark.parametrize(
    "value",
    [
        '"a # b"',
        "'[x]'",
        "{ a = [1], b = '}' } # c",
        "1979-05-27T07:32:00Z",
        '"\\"]"',
        "[[], [']']]",
    ],
)
def test_the_end_of_any_value_is_found(value: str) -> None:
    text = f"[steps.a]\nbefore = {value}\nx = 1 # one\n\n[b]\nx = 2\n"
    assert with_settings(text, ("steps", "a"), {"x": 3}) == text.replace("x = 1", "x = 3")


def test_a_saved_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text(APP, encoding="utf-8")
    real.chmod(0o640)
    link = tmp_path / "app.toml"
    link.symlink_to(real)
    digest = save_settings(link, digest_of(real.read_bytes()), "cross", {"start": [1, 1]})
    assert link.is_symlink()
    assert stat.S_IMODE(os.stat(real).st_mode) == 0o640
    assert tomllib.loads(real.read_text(encoding="utf-8"))["steps"]["cross"]["start"] == [1, 1]
    assert digest == digest_of(real.read_bytes())


def test_a_file_that_has_changed_is_refused_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "app.toml"
    file.write_text(APP, encoding="utf-8")
    seen = digest_of(file.read_bytes())
    file.write_text(APP + "# more\n", encoding="utf-8")
    with pytest.raises(InvalidData, match="has changed on disk since it was checked"):
        save_settings(file, seen, "cross", {"start": [1, 1]})
    assert file.read_text(encoding="utf-8") == APP + "# more\n"


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="cannot be written: No such file"):
        save_settings(tmp_path / "app.toml", "", "cross", {"start": [1, 1]})
