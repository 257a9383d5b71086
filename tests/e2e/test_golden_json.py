"""What the commands print with ``--json``, and their help, held against files kept in the tests.

``STUDIO_GOLDEN=write`` writes the files anew; read what changed in them before it is committed.
"""

from __future__ import annotations

import compileall
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from studio import feature_host, runtime
from studio.cli.main import commands_of, main
from studio.steps import step_files
from tests.e2e.conftest import STUDIO, Ended, Studio
from tests.rigs.golden import Normaliser, golden_text

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
HELP = GOLDEN / "help.txt"
PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
FEATURES = Path(__file__).parents[1] / "features"
DIGESTS = GOLDEN / "recipe_digests.json"
FOLDERS = (GOLDEN, *sorted(FEATURES.glob("*/golden")))
"""The golden files of the core, and those of each feature."""

PLACES: Mapping[str, Path] = {
    name: folder
    for folder in FOLDERS
    for name in tomllib.loads((folder / "scenarios.toml").read_text())
}
"""The folder of each scenario."""

SCENARIOS: Mapping[str, list[dict[str, Any]]] = {
    name: tomllib.loads((folder / "scenarios.toml").read_text())[name]
    for name, folder in PLACES.items()
}
WRITING = os.environ.get("STUDIO_GOLDEN") == "write"
EPOCH = "1790000000"
"""The moment of packaging: with it, bundles have the same digests in each run."""

Observed = dict[str, Any]
Observe = Callable[[str], dict[str, Observed]]


@pytest.fixture(scope="module")
def observe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observe]:
    """``observe(scenario)``: what each of its steps printed; each scenario is run once."""
    # The size of the runtime that is sent to this computer is that with all modules compiled.
    assert compileall.compile_dir(Path(runtime.__file__).parent, quiet=1)
    done: dict[str, dict[str, Observed]] = {}
    studios: list[Studio] = []

    def run(scenario: str) -> dict[str, Observed]:
        if scenario not in done:
            studios.append(_studio(tmp_path_factory.mktemp(scenario)))
            steps = SCENARIOS[scenario]
            done[scenario] = {step["name"]: _observed(studios[-1], step) for step in steps}
        return done[scenario]

    yield run
    for studio in studios:
        studio.run("undeploy", "--purge")


@pytest.mark.parametrize(
    ("scenario", "step", "code"),
    [(name, step["name"], step.get("exit", 0)) for name in SCENARIOS for step in SCENARIOS[name]],
)
def test_a_command_prints_what_it_printed(
    observe: Observe, scenario: str, step: str, code: int
) -> None:
    observed = observe(scenario)[step]
    assert observed["exit"] == code, observed["errors"]
    _compare(PLACES[scenario] / scenario / f"{step}.json", golden_text(observed))


def test_every_golden_file_belongs_to_a_step() -> None:
    wanted = {f"{name}/{step['name']}.json" for name in SCENARIOS for step in SCENARIOS[name]}
    found = {
        path.relative_to(folder).as_posix()
        for folder in FOLDERS
        for path in folder.glob("*/*.json")
    }
    assert found == wanted


def test_the_digits_recipe_makes_the_same_models_and_bundles(observe: Observe) -> None:
    made = observe("runs")["run"]["output"]["artefacts"]
    kept = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    _compare(DIGESTS, golden_text({**kept, "digits": made}))


@pytest.fixture
def help_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """``help_of(words)``: the help of a command."""
    if not WRITING and HELP.read_text().splitlines()[0] != PYTHON:
        pytest.skip(f"the help was written by another Python than {PYTHON}, which lays it out")
    for name, value in _studio(tmp_path / "home").environment.items():
        monkeypatch.setenv(name, value)

    def text(words: str) -> str:
        with pytest.raises(SystemExit) as end:
            main([*words.split(), "--help"])
        assert end.value.code == 0
        return str(Normaliser(tmp_path / "home")(capsys.readouterr().out))

    return text


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """``only(*names)``: no other feature is installed."""

    def leave(*names: str) -> None:
        folder = tmp_path / "features"
        folder.mkdir()
        for name in names:
            (folder / name).symlink_to(Path(feature_host.__file__).with_name("features") / name)
        monkeypatch.setattr(feature_host, "_FOLDER", folder)
        feature_host.features.cache_clear()

    yield leave
    feature_host.features.cache_clear()


def _help(commands: Iterable[str], help_of: Callable[[str], str]) -> str:
    """The help of commands and of their verbs."""
    texts = {command: help_of(command) for command in commands}
    verbs = [f"{command} {verb}" for command, text in texts.items() for verb in _verbs(text)]
    texts.update({verb: help_of(verb) for verb in verbs})
    parts = (f"$ studio {words} --help\n\n{text}" for words, text in sorted(texts.items()))
    return "\n".join(parts)


def test_every_help_text_is_as_it_was(
    help_of: Callable[[str], str], only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    only()  # those of features stand with their tests
    monkeypatch.setattr(step_files, "commands", lambda: iter(()))  # those of features' steps
    top = help_of("")
    commands = _named(top)
    assert len(commands) > 30
    text = _help(commands, help_of)
    assert text.count("$ studio") > 60
    _compare(HELP, "\n".join([PYTHON, "", f"$ studio --help\n\n{top}", text]))


@pytest.mark.parametrize("feature", [name for name in feature_host.features() if commands_of(name)])
def test_every_help_text_of_a_feature_is_as_it_was(
    feature: str, help_of: Callable[[str], str], only: Callable[..., None]
) -> None:
    commands = commands_of(feature)
    only(feature)  # others may add flags
    section = help_of("").partition(f"\n{feature}:\n")[2].partition("\n\n")[0]
    assert {line.split()[0] for line in section.splitlines() if line[2:3].strip()} == {*commands}
    _compare(FEATURES / feature / "help.txt", _help(commands, help_of))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"c": 1}),
        ({"seconds": 0.5}, {"seconds": None}),
        ({"latency_ms": {"p50": 1.5}}, {"latency_ms": {"p90": 1.5}}),
        ({"text": "served at port 8477"}, {"text": "served on port 8477"}),
        (["a", "b"], ["b", "a"]),
    ],
)
def test_a_change_that_a_user_sees_is_seen(before: Any, after: Any, tmp_path: Path) -> None:
    normal = Normaliser(tmp_path)
    assert golden_text(normal(before)) != golden_text(normal(after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"seconds": 0.5}, {"seconds": 0.75}),
        ({"latency_ms": {"p50": 1.5}}, {"latency_ms": {"p50": 2.5}}),
        ({"text": "served at port 8477"}, {"text": "served at port 8478"}),
        ({"at": "2026-11-28T02:05:02.444+00:00"}, {"at": "2026-11-28T03:05:02.444+00:00"}),
    ],
)
def test_what_differs_in_each_run_is_not_seen(before: Any, after: Any, tmp_path: Path) -> None:
    normal = Normaliser(tmp_path)
    assert golden_text(normal(before)) == golden_text(normal(after))


def _studio(home: Path) -> Studio:
    studio = Studio(home)
    studio.environment.update(SOURCE_DATE_EPOCH=EPOCH, COLUMNS="100", STUDIO=str(STUDIO))
    return studio


def _observed(studio: Studio, step: dict[str, Any]) -> Observed:
    """What a step printed, without what differs in each run."""
    _prepare(studio, step.get("prepare", ""))
    text = step.get("text", False)
    ended = studio.run(*shlex.split(step["run"]), *([] if text else ["--json"]))
    how = {name: step[name] for name in ("loose", "shape", "once", "sampled") if name in step}
    normal = Normaliser(studio.home, **how)
    plain = Normaliser(studio.home)
    return {
        "command": step["run"],
        "exit": ended.code,
        "output": plain(ended.out.splitlines()) if text else normal(_json(ended)),
        "errors": plain(ended.err.splitlines()),
    }


def _prepare(studio: Studio, line: str) -> None:
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=studio.home,
        env=studio.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}: {done.stderr}{done.stdout}"


def _json(ended: Ended) -> Any:
    assert ended.out, ended.err
    return ended.json


def _compare(path: Path, text: str) -> None:
    """Hold a text against a golden file, or write that file."""
    if WRITING:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def _named(text: str) -> list[str]:
    """The commands that the first help lists."""
    listed = text.partition("  COMMAND\n")[2].partition("\n\n")[0]
    return re.findall(r"^    ([a-z-]+)(?: |$)", listed, re.M)


def _verbs(text: str) -> list[str]:
    """The commands of a command: ``{list,show}`` or ``list|show ...`` in its first lines."""
    usage = " ".join(text.partition("\n\n")[0].split())
    found = re.search(r" ([a-z]+(?:\|[a-z]+)+) \.\.\.$", usage)
    return found[1].split("|") if found else []
