"""The README and the pages of docs/: every block that is marked runnable is run, in order."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs import pages
from tests.rigs.pages import ROOT, Block

PAGES = {
    path.name: path.read_text("utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
RUN = {
    name: found
    for name, text in PAGES.items()
    if (found := [block for block in pages.blocks(text) if block.is_run])
}
OFTEN = (
    *("README.md", "calling.md", "deployment.md", "installation.md", "monitoring.md"),
    *("pipelines.md", "projects.md", "samples.md"),
)
"""Pages that CI runs; the others are run with the long tests."""
_RUN = [one if one in OFTEN else pytest.param(one, marks=pytest.mark.long) for one in RUN]
WHOLE = ("README.md", "calling.md")
"""Pages of which every block says whether it is run."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield pages.checkout(tmp_path / "edgewright")
    for folder in (tmp_path / "home").rglob("*"):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)


@pytest.mark.slow
@pytest.mark.rig
@pytest.mark.needs("unshare", "ip", "curl", "make")
@pytest.mark.parametrize("name", _RUN)
def test_a_page_runs_as_it_is_written(name: str, place: Path, tmp_path: Path, need) -> None:
    code = RUN[name]
    if any(block.language == "javascript" or block.about.endswith(".mjs") for block in code):
        need("node")
    done = pages.run(name, code, place, tmp_path / "home")
    assert done.returncode == 0, done.stdout[-6000:]
    assert done.stdout.count("### ") >= len(code), done.stdout[-6000:]


@pytest.mark.parametrize("name", WHOLE)
def test_each_block_says_whether_it_is_run(name: str) -> None:
    silent = [f"{name}:{one.line}" for one in pages.blocks(PAGES[name]) if not one.mark]
    assert not silent


def test_what_is_not_run_says_why() -> None:
    named = [(name, one) for name, text in PAGES.items() for one in pages.blocks(text)]
    without = [
        f"{n}:{one.line}" for n, one in named if one.mark == "not runnable" and not one.about
    ]
    assert not without


def test_marks_are_read() -> None:
    text = """\
<!-- runnable -->
```
cd there
```

<!-- file: a.py -->
```python
print(1)
```

<!-- runnable -->
    ls
    pwd

<!-- not runnable: needs a board -->
```
studio deploy
```

```
other
```
"""
    found = list(pages.blocks(text))
    assert [(one.mark, one.about, one.code) for one in found] == [
        ("runnable", "", "cd there\n"),
        ("file", "a.py", "print(1)\n"),
        ("runnable", "", "ls\npwd\n"),
        ("not runnable", "needs a board", "studio deploy\n"),
        ("", "", "other\n"),
    ]


def test_a_block_that_fails_ends_the_page(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    folder = tmp_path / "folder"
    folder.mkdir()
    code = [Block(3, "", "false | true\n", "runnable"), Block(9, "", "echo reached\n", "runnable")]
    done = pages.run("page", code, folder, tmp_path / "home")
    assert done.returncode != 0
    assert "### page:3" in done.stdout
    assert "reached" not in done.stdout
