"""The instructions of CONTRIBUTING.md, followed by their own code blocks in scratch copies."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.pipelines.schema import FILE as SCHEMA
from studio.plugin_host.built_in import built_in_folders

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
STUDIO = Path(sys.executable).with_name("studio")
DIGITS = ROOT / "resources" / "samples" / "digits" / "digits.onnx"
MOST_LINES = 275
_MARK = re.compile(
    r"(?:#|<!--) (?:file: (?P<file>\S+)|in (?P<path>\S+), (?P<how>[a-z ]+) `(?P<line>.+)`)(?: -->)?"
)
_TIMEOUT_S = 300


@dataclass(frozen=True)
class Edit:
    """One piece of a code block: a new file, or a change at a line of a file.

    Attributes:
        how: ``file``, ``after``, ``after every`` or ``instead of``.
        line: The line that is extended or replaced; empty for a new file.
    """

    path: str
    how: str
    line: str
    text: str

    def apply(self, root: Path) -> None:
        """Carry it out below a folder; its line must be there."""
        path = root / self.path
        if self.how == "file":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text)
            return
        old, line = path.read_text(), f"{self.line}\n"
        found = len(re.findall(rf"^{re.escape(line)}", old, re.M))
        assert found == 1 or (found and self.how == "after every"), f"{self.path}: {self.line}"
        new = self.text if self.how == "instead of" else line + self.text
        path.write_text(re.sub(rf"^{re.escape(line)}", lambda _: new, old, flags=re.M))


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    return re.split(r"^## .+\n", PAGE.read_text().split(f"## {title}\n")[1], flags=re.M)[0]


def edits(title: str) -> list[Edit]:
    """The pieces of all marked code blocks of a section."""
    blocks = re.findall(r"^```[a-z]+\n(.*?)^```$", section(title), re.M | re.S)
    return [edit for block in blocks for edit in pieces(block)]


def pieces(block: str) -> Iterator[Edit]:
    """Split a block at its marks; a block without one has none."""
    mark: re.Match[str] | None = None
    body: list[str] = []
    for line in [*block.splitlines(), None]:
        found = _MARK.fullmatch(line) if line is not None else None
        if found is None and line is not None:
            body.append(line + "\n")
            continue
        if mark is not None:
            how = "file" if mark["file"] else mark["how"]
            yield Edit(mark["file"] or mark["path"], how, mark["line"] or "", "".join(body))
        mark, body = found, []


class Scratch:
    """A copy of the checkout that may be changed, and programs that import it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("corpus", "data", "screenshots")
        for name in ("studio", "plugins", "resources", "tests", "docs", "packaging"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, folder)

    def follow(self, title: str) -> list[str]:
        """Carry out the blocks of a section; the files that are new or changed."""
        done = edits(title)
        for edit in done:
            edit.apply(self.folder)
        return sorted({edit.path for edit in done})

    def python(self, *words: str | Path) -> str:
        """Run Python on the copy; its output."""
        path = os.pathsep.join((str(self.folder), str(self.folder / "plugins")))
        return run([sys.executable, *words], self.folder, PYTHONPATH=path)

    def studio(self, *words: str | Path) -> str:
        """Run the copy's command; its output."""
        return self.python("-m", "studio.cli.main", *words)

    def lint(self, *paths: str) -> None:
        """Check the style of new code as ``make check`` does."""
        ruff = str(Path(sys.executable).with_name("ruff"))
        python = [path for path in paths if path.endswith(".py")]
        run([ruff, "check", "--no-cache", *python], self.folder)
        run([ruff, "format", "--no-cache", "--check", *python], self.folder)


@pytest.fixture
def scratch(tmp_path: Path, studio_home: Path) -> Scratch:
    return Scratch(tmp_path / "checkout")


def run(words: list[Any], folder: Path, **more: str) -> str:
    """Run a program, which must succeed; its output."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def shell(title: str, folder: Path) -> list[str]:
    """Run the commands of a section; the output of each."""
    lines = "".join(re.findall(r"^```sh\n(.*?)^```$", section(title), re.M | re.S)).splitlines()
    commands = [part for line in lines for part in line.split(" && ")]
    assert all(command.startswith("studio ") for command in commands)
    return [run([STUDIO, *shlex.split(command)[1:]], folder) for command in commands]


def test_the_page_is_short() -> None:
    assert len(PAGE.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("title", ["Add a page", "Add a step", "Add a feature"])
def test_new_files_alone_add_what_the_core_finds_by_its_folder(title: str) -> None:
    assert edits(title)
    assert not [edit.path for edit in edits(title) if edit.line or (ROOT / edit.path).exists()]


def test_a_line_that_is_gone_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\n")
    (good,) = pieces("# in a.py, after `one`\n    more\n")
    (bad,) = pieces("# in a.py, instead of `three`\nfour\n")
    good.apply(tmp_path)
    assert (tmp_path / "a.py").read_text() == "one\n    more\ntwo\n"
    with pytest.raises(AssertionError, match="three"):
        bad.apply(tmp_path)


def test_commands_of_the_page_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:`|^    )make ([a-z-]+)", PAGE.read_text(), re.M)) <= targets
    for link in re.findall(r"\]\(([^)#]+)", PAGE.read_text()):
        assert (ROOT / link).exists(), link


_OPEN_THE_PAGE = """
import sys
from pathlib import Path
from PySide6.QtTest import QTest
import studio
assert Path(studio.__file__).is_relative_to(Path.cwd()), studio.__file__
from studio.gui.app import attach, make_application, make_window
from studio.settings import Paths
from studio.workspace import Workspace
application = make_application()
window = make_window(Paths.of())
window.show()
with Workspace.open() as workspace:
    attach(window, workspace)
    window.go("notes")
    page = window.page()
    print(type(page).__name__, page.isVisible(), page.text.text())
    window.close()
"""


@pytest.mark.slow
def test_the_page_of_the_window_opens(scratch: Scratch) -> None:
    paths = scratch.follow("Add a page")
    scratch.lint(*paths)
    shown = scratch.python("-c", _OPEN_THE_PAGE).strip()
    assert shown == "NotesPage True Open a model to see its notes."
    rig = """
        from studio.gui.pages.notes.page import NotesPage
        from tests.gui.page_rig import opened

        def test_the_open_model_is_named(qtbot, studio_home, tmp_path):
            with opened(studio_home, tmp_path) as rig:
                assert EXPRESSION
    """
    (expression,) = re.findall(r"`(rig\.page\(.+?)`", section("Add a page"))
    text = "\n".join(line[8:] for line in rig.splitlines()).replace("EXPRESSION", expression)
    (scratch.folder / "tests" / "gui" / "test_pages_notes.py").write_text(text)
    scratch.python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
        "tests/gui/test_pages_notes.py",
    )  # fmt: skip


@pytest.mark.slow
def test_the_step_has_a_command_a_schema_and_a_pipeline_key(scratch: Scratch) -> None:
    scratch.lint(*scratch.follow("Add a step"))
    assert "count the operators of a model" in scratch.studio("--help")
    assert "--top N" in scratch.studio("count", "--help")
    counted = json.loads(scratch.studio("count", DIGITS, "--top", "2", "--json"))
    assert list(counted["operators"].values()) == [2, 2]
    assert scratch.studio("count", DIGITS).count("\n") == len(
        json.loads(scratch.studio("count", DIGITS, "--json"))["operators"]
    )
    schema = scratch.python("-m", "studio.pipelines.schema")
    assert '"count"' in schema
    assert '"count"' not in ROOT.joinpath("resources", *SCHEMA).read_text()
    pipeline = scratch.folder / "pipeline.toml"
    pipeline.write_text(
        '[pipeline]\nname = "p"\n'
        f'[[steps]]\nid = "n"\nstep = "count"\nmodel = "{DIGITS}"\ntop = 1\n'
    )
    assert "n: count" in scratch.studio("run", pipeline, "--check")


@pytest.mark.slow
def test_the_feature_has_its_command_until_a_part_of_it_is_deleted(scratch: Scratch) -> None:
    paths = scratch.follow("Add a feature")
    scratch.lint(*paths)
    assert all(path.startswith("studio/features/notes/") for path in paths)
    assert "print how many models there are" in scratch.studio("--help")
    assert scratch.studio("notes") == "Models: 0\n"
    (scratch.folder / "studio/features/notes/commands/notes.py").unlink()
    with pytest.raises(AssertionError) as refused:
        scratch.studio("notes")
    assert "The feature notes is damaged: " in str(refused.value)
    assert "Traceback" not in str(refused.value)
    (scratch.folder / "studio/features/notes/feature.py").unlink()
    assert "notes" not in scratch.studio("--help")
    (scratch.folder / "studio/features/notes/part.py").touch()
    with pytest.raises(
        AssertionError, match=r"WRONG.*feature notes is damaged: .*feature\.py is missing"
    ):
        scratch.studio("doctor")


@pytest.mark.slow
def test_the_built_in_plugin_needs_no_edited_file(scratch: Scratch) -> None:
    shell("Add a plugin", scratch.folder)
    made, built_in = scratch.folder / "word_count" / "word_count", "studio_median"
    target = scratch.folder / "plugins" / built_in
    shutil.copytree(made, target, ignore=shutil.ignore_patterns("__pycache__"))
    for file in target.iterdir():
        file.write_text(file.read_text().replace("word_count", built_in))
    assert scratch.follow("Add a plugin") == []
    assert re.search(rf"^{built_in} .* available ", scratch.studio("plugins", "list"), re.M)
    scratch.python("-m", "hatchling", "build", "-t", "wheel", "-d", "dist")
    (wheel,) = (scratch.folder / "dist").glob("*.whl")
    site, stranger = scratch.folder / "site", "studio_stranger"
    shutil.unpack_archive(wheel, site, "zip")
    shutil.copytree(site / built_in, site / stranger)
    folders = {path.name for path in (scratch.folder / "plugins").glob("studio_*")}
    assert dict(built_in_folders(site)) == {name: site / name for name in folders}
    assert built_in in folders


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, studio_home: Path) -> Path:
    """The project of a section, changed as the section says, checked, installed and allowed."""
    title = request.param
    _made, checked = shell(title, tmp_path)
    assert checked.strip()
    (folder,) = (path for path in tmp_path.iterdir() if (path / "pyproject.toml").is_file())
    for edit in edits(title):
        edit.apply(tmp_path)
    run([STUDIO, "plugins", "check", folder], tmp_path)
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder)
    installed = studio_home / "config" / "plugins" / folder.name
    shutil.copytree(folder / folder.name, installed)
    run([STUDIO, "plugins", "allow", folder.name], tmp_path)
    return folder


def only(title: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("project", [title], indirect=True)


@pytest.mark.slow
@only("Add a plugin")
def test_the_plugin_is_available(project: Path) -> None:
    listed = run([STUDIO, "plugins", "list"], project)
    assert re.search(r"^word_count .* available  .*Word count", listed, re.M), listed


@pytest.mark.slow
@only("Add a backend")
def test_the_backend_is_profiled_with_its_option(project: Path) -> None:
    words = ["profile", DIGITS, "--backend", "fake_chip:threads=2", "--rounds", "2", "--json"]
    (row,) = json.loads(run([STUDIO, *words], project))["runs"]
    assert (row["backend"], row["state"]) == ("fake_chip", "measured"), row
    assert row["options"]["threads"] == 2


@pytest.mark.slow
@only("Add a target")
def test_the_target_is_reached_through_the_prefix(project: Path) -> None:
    run([STUDIO, "target", "add", "bench", "lab-bench:here"], project)
    facts = json.loads(run([STUDIO, "target", "probe", "bench", "--json"], project))
    assert facts["os"]
    ask = (
        "from lab_bench.target import LabBench\n"
        "from studio.api import Silent, TargetSpec\n"
        "channel = LabBench().connect(TargetSpec('bench', 'lab-bench:here'), Silent())\n"
        "print(channel.run(['nice']).stdout.decode().strip())\n"
    )
    before = run(["nice"], project).strip()
    assert int(run([sys.executable, "-c", ask], project)) == min(int(before) + 5, 19)


@pytest.mark.slow
@only("Add a format")
def test_the_format_reads_several_inputs(project: Path) -> None:
    model = project / "model.tiny_text"
    model.write_text("tiny_text 1\nRelu x a\nAdd a x y\n")
    told = json.loads(run([STUDIO, "inspect", model, "--json"], project))
    assert (told["format"], told["nodes"]) == ("tiny_text", 2)


@pytest.mark.slow
def test_work_runs_without_a_worker_and_a_worker_takes_a_job(
    tmp_path: Path, studio_home: Path
) -> None:
    for edit in edits("Debug a worker"):
        edit.apply(tmp_path)
    assert run([sys.executable, "debug_step.py", DIGITS], tmp_path).strip() == "7"
    spec = {
        "entry": "studio.models.work:inspect_model",
        "options": "studio.models.step:InspectOptions",
        "arguments": {"model": str(DIGITS)},
        "folder": str(tmp_path),
        "memory_mb": 0,
        "cpu_seconds": 0,
        "log_level": 20,
    }
    assert all(f"`{key}`" in section("Debug a worker") for key in spec)
    (tmp_path / "spec.json").write_text(json.dumps(spec) + "\n")
    (line,) = re.findall(r"`(\(cat spec\.json; sleep \d+\) \| python [^`]+)`", PAGE.read_text())
    words = ["bash", "-c", line.replace("python ", f"{shlex.quote(sys.executable)} ")]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True, **quiet
    ) as process:
        assert process.stdout is not None
        events = (json.loads(event) for event in process.stdout)
        result = next((one["result"] for one in events if one["event"] == "result"), None)
        os.killpg(process.pid, signal.SIGTERM)
    assert result is not None
    assert result["nodes"] == 7
