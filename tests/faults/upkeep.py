"""The registry's own bad day: a kill at each moment of a copy, a restore, a migration, a collection
and an import.

strace kills the process as it makes its k-th call of a kind. Afterwards nothing is lost, nothing
that is not the registry's was touched, and the same thing done again comes through.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import Silent
from studio.documents.dataclass_json import from_json, to_json
from studio.registry import Registry
from studio.registry.backups import DATABASE, MANUAL, Backups, DamagedRegistry
from studio.registry.ownership import MARK
from studio.registry.restore import RegistryRestore
from studio.settings import resource
from studio.versions.garbage import collect
from studio.versions.integrity import condition
from studio.versions.project_import import add_models, unpack
from studio.versions.project_listing import UnpackedProject
from studio.versions.step import GarbageOptions, ImportOptions
from studio.workspace import Workspace
from tests.faults.points import CALLS
from tests.faults.tally import Tally, require

STORIES = ("backup", "restore", "restore-chosen", "migration", "gc", "import")
MOMENTS = 100
_READING = ("openat", "pread64", "read", "fcntl", "flock", "newfstatat", "getdents64", "close")
"""Calls that change nothing; a kill at one of them is a kill between two changes."""

_OLD_S = 7200
_PASSING = re.compile(r"\.(new|restored|trash)-")


@dataclass(frozen=True)
class Moment:
    """The k-th call of a kind, counted from the beginning of what is done."""

    call: str
    number: int


@dataclass
class _Work:
    """What ``unpack`` needs of a job."""

    folder: Path
    progress: Callable[..., None] = Silent().progress
    check: Callable[[], None] = Silent().check
    log: Callable[[str], None] = Silent().log

    def event(self, name: str, /, **values: Any) -> None:
        """Nobody listens."""


class Scene:
    """A registry with something for each story to do, and things beside it that are nobody's.

    Args:
        folder: Where it is laid out once, to be copied for each kill.
    """

    def __init__(self, folder: Path) -> None:
        self.pristine = folder / "pristine"
        self._folder = folder
        self._unpacked = folder / "unpacked"
        home = self.pristine / "home"
        with Workspace.open(home) as workspace:
            model = str(resource("samples", "digits", "digits.onnx"))
            _ok(workspace.run("open", model=model))
            for variant, method in (
                ("fp32", ""),
                ("fp16", "fp16"),
                ("int8-dynamic", "dynamic-int8"),
            ):
                if method:
                    _ok(workspace.run("quantize", model="digits:fp32", method=method))
                _ok(workspace.run("package", model=f"digits:{variant}"))
            _ok(workspace.run("version-alias", version="digits:1", alias="production"))
            _ok(workspace.run("project-export", out=str(self.pristine / "project.zip")))
        self._strew(home / "data" / "registry")

    def _strew(self, registry: Path) -> None:
        """Foreign things in every place where something is removed, and an orphan."""
        texts = (
            "thesis.txt",
            "home/data/registry/thesis.txt",
            "home/data/registry/store/thesis.txt",
        )
        folders = ("store/notes", "store/.trash-of-mine", "backups", "damaged-of-mine")
        places = [self.pristine / text for text in texts]
        places += [registry / folder / "thesis.txt" for folder in folders]
        places += [registry / "backups" / name for name in ("mine.sqlite", ".new-mine")]
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"years of work in {place.name}")
        orphan = registry / "store" / hashlib.sha256(b"orphan").hexdigest()
        orphan.mkdir()
        (orphan / "left").write_bytes(b"orphan")
        old = time.time() - _OLD_S
        os.utime(orphan, (old, old))

    def fresh(self, story: str) -> Path:
        """A copy that a story can begin with; the folder of its registry."""
        place = self._folder / "now"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.pristine, place, copy_function=shutil.copy2)
        registry = place / "home" / "data" / "registry"
        _moved(registry, self.pristine, place)
        getattr(self, f"_{story.replace('-', '_')}", lambda registry: None)(registry)
        return registry

    def _restore(self, registry: Path) -> None:
        content = (registry / DATABASE).read_bytes()
        Backups(registry).make(MANUAL)
        (registry / DATABASE).write_bytes(bytes(100) + content[100:])

    def _restore_chosen(self, registry: Path) -> None:
        Backups(registry).make(MANUAL)
        opened = Registry.open(registry)
        opened.add_model("since the copy")
        opened.close()

    def _migration(self, registry: Path) -> None:
        with closing(sqlite3.connect(registry / DATABASE)) as connection:
            connection.execute("DROP TABLE identity")
            connection.execute("PRAGMA user_version=3")
        (registry / "store" / MARK).unlink()

    def _import(self, registry: Path) -> None:
        """Another registry takes the project in; it has a model of its own."""
        shutil.rmtree(registry / "store")
        for path in [*registry.glob(f"{DATABASE}*"), *(registry / "backups").glob("2*.sqlite")]:
            path.unlink()
        opened = Registry.open(registry)
        opened.add_model("mine")
        opened.close()
        (registry / "store" / "thesis.txt").write_text("years of work in thesis.txt")
        self.unpack(registry)

    def unpack(self, registry: Path) -> None:
        """Lay out what a worker makes of the archive, as it does each time an import is begun."""
        if not self._unpacked.exists():
            self._unpacked.mkdir()
            result = unpack(ImportOptions(self.pristine / "project.zip"), _Work(self._unpacked))
            (self._unpacked / "result.json").write_text(json.dumps(to_json(result)))
        folder = registry.parent / "jobs" / "1"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._unpacked, folder)


# What is done, in a process of its own


def act(story: str, registry: Path) -> None:
    """Do what a story is about."""
    if story == "backup":
        Backups(registry).make(MANUAL)
    elif story.startswith("restore"):
        RegistryRestore(registry).run()
    elif story == "migration":
        Registry.open(registry).close()
    else:
        opened = Registry.open(registry)
        try:
            if story == "gc":
                collect(opened, GarbageOptions(keep=1), registry)
            else:
                folder = registry.parent / "jobs" / "1"
                document = json.loads((folder / "result.json").read_text())
                options = ImportOptions(folder / "project.zip")
                add_models(opened, options, from_json(UnpackedProject, document), folder)
        finally:
            opened.close()


def traced(story: str, registry: Path, rules: Sequence[str], trace: Path) -> bool:
    """Do it in a process of its own under a tracer; whether that was killed.

    The process waits for its tracer before it begins, so that calls are counted from there.
    """
    child = os.fork()
    if child == 0:
        try:
            os.kill(os.getpid(), signal.SIGSTOP)
            act(story, registry)
        finally:
            os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    words = ["strace", "-qq", "-o", str(trace), *rules, "-p", str(child)]
    tracer = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while "TracerPid:\t0" in Path(f"/proc/{child}/status").read_text():
        require(tracer.poll() is None, "strace did not come up")
        time.sleep(0.002)
    os.kill(child, signal.SIGCONT)
    _pid, status = os.waitpid(child, 0)
    tracer.communicate()
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


# What must hold


@dataclass(frozen=True)
class Content:
    """What a registry holds, without the moments at which it was written."""

    models: frozenset[str]
    variants: frozenset[tuple[str, str, str]]
    versions: frozenset[tuple[int, str, str, bool]]
    aliases: frozenset[tuple[str, int]]

    @classmethod
    def of(cls, registry: Path) -> Content:
        """Read it.

        Raises:
            StudioError: when it does not open.
        """
        opened = Registry.open(registry)
        try:
            versions = opened.versions()
            return cls(
                frozenset(one.name for one in opened.models()),
                frozenset((one.model_name, one.name, one.digest) for one in opened.variants()),
                frozenset((v.number, v.digest, v.created, v.path.is_dir()) for v in versions),
                frozenset((one.name, one.version) for one in opened.ledger.aliases()),
            )
        finally:
            opened.close()


def foreign(place: Path) -> Mapping[str, bytes]:
    """The files that are nobody's; a link would show as what it leads to."""
    found = [*place.rglob("thesis.txt"), *place.rglob("mine.sqlite"), *place.rglob(".new-mine")]
    return {str(path.relative_to(place)): path.read_bytes() for path in found}


class Story:
    """One story, killed at moment after moment."""

    def __init__(self, name: str, scene: Scene, folder: Path) -> None:
        self._name, self._scene, self._folder = name, scene, folder
        self._trace = folder / "trace"
        registry = scene.fresh(name)
        self._before = None if name == "restore" else Content.of(registry)
        # A look at a registry brings it up to date.
        registry = scene.fresh(name)
        self._all = self._moments(registry)
        self._after = Content.of(registry)

    def moments(self, most: int = MOMENTS) -> list[Moment]:
        """So many of all, evenly; those that change something come before the others."""
        changing = [one for one in self._all if one.call in CALLS]
        reading = [one for one in self._all if one.call not in CALLS]
        chosen = _evenly(changing, most)
        return chosen + _evenly(reading, most - len(chosen))

    def strike(self, moment: Moment) -> str:
        """Kill it there, look, do it again, look; what was found after the kill.

        Raises:
            Violation: when something does not hold that must.
        """
        registry = self._scene.fresh(self._name)
        place = registry.parents[2]
        kept = foreign(place)
        rule = f"inject={moment.call}:signal=KILL:when={moment.number}"
        rules = ["-e", f"trace={moment.call}", "-e", rule]
        require(traced(self._name, registry, rules, self._trace), "nothing was killed")
        require(foreign(place) == kept, "something was touched that is not the registry's")
        outcome = self._look(registry)
        if self._name == "import":
            self._scene.unpack(registry)
        act(self._name, registry)
        self._settled(registry)
        require(foreign(place) == kept, "the repetition touched what is not the registry's")
        return outcome

    def _look(self, registry: Path) -> str:
        """Before or after, nothing between; a restore may leave the way back only."""
        try:
            found = Content.of(registry)
        except DamagedRegistry as error:
            require(self._name == "restore", f"it does not open: {error}")
            require(error.copy is not None, "the way back is gone")
            return "the way back"
        require(condition(registry).damaged == (), f"damage: {condition(registry).damaged}")
        if self._name == "gc":  # bundles go one after the other; no row goes
            require(_without_bundles(found) == _without_bundles(self._after), "a row is lost")
            gone = {version[1] for version in found.versions if not version[3]}
            allowed = {version[1] for version in self._after.versions if not version[3]}
            require(gone <= allowed, "a bundle is gone that is needed")
            return (
                "before" if found == self._before else "after" if found == self._after else "part"
            )
        known = [one for one in (self._before, self._after) if one is not None]
        require(found in known, f"neither before nor after: {found}")
        return "after" if found == self._after else "before"

    def _settled(self, registry: Path) -> None:
        require(Content.of(registry) == self._after, "the repetition came to another end")
        require(condition(registry).damaged == (), "damage after the repetition")
        folders = (registry, registry / "store", registry / "backups")
        names = [one.name for folder in folders for one in folder.iterdir()]
        left = [one for one in names if _PASSING.match(one) and "mine" not in one]
        require(not left, f"left behind: {left}")
        require(len(Backups(registry).all()) <= 14, "copies pile up")

    def _moments(self, registry: Path) -> list[Moment]:
        calls = ",".join(f"?{one}" for one in (*CALLS, *_READING))
        traced(self._name, registry, ["-e", f"trace={calls}"], self._trace)
        counts: dict[str, int] = {}
        found: list[Moment] = []
        for call in re.findall(r"^(\w+)\(", self._trace.read_text(), re.MULTILINE):
            counts[call] = counts.get(call, 0) + 1
            found.append(Moment(call, counts[call]))
        require(found, "nothing was done")
        return found


def run_story(name: str, folder: Path, most: int = MOMENTS, scene: Scene | None = None) -> Tally:
    """So many kills of one story.

    Args:
        scene: One that is laid out already.
    """
    tally = Tally("upkeep")
    with _removable(folder):
        story = Story(name, scene or Scene(folder / "scene"), folder)
        for moment in story.moments(most):
            with tally.judged(f"{name}: SIGKILL at {moment.call} {moment.number}"):
                tally.points[name] += 1
                tally.outcomes[f"{name}: {story.strike(moment)}"] += 1
    return tally


@contextmanager
def _removable(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _evenly(moments: list[Moment], most: int) -> list[Moment]:
    if most <= 0 or len(moments) <= most:
        return moments[: max(0, most)]
    last = len(moments) - 1
    return [moments[round(number * last / max(1, most - 1))] for number in range(most)]


def _without_bundles(content: Content) -> tuple[Any, ...]:
    versions = frozenset(version[:3] for version in content.versions)
    return content.models, content.variants, versions, content.aliases


def _moved(registry: Path, before: Path, now: Path) -> None:
    """Let the rows of a registry that was copied name the files of the copy."""
    with closing(sqlite3.connect(registry / DATABASE)) as connection:
        for table, column in (
            *(("variants", "path"), ("variants", "graph"), ("versions", "path")),
            *(("runs", "artifacts"), ("runs", "result"), ("runs", "options")),
        ):
            connection.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (str(before), str(now))
            )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _ok(outcome: Any) -> None:
    require(outcome.ok, f"the scene could not be laid out: {outcome}")
