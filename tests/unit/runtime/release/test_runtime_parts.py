"""The parts of the runtime on a target: what is refused, and what an earlier release is given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle, build_runtime
from studio.packages.bundle import write_manifest
from studio.runtime.parts import KEY, packed_in
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.release.machine import Machine, machine

pytestmark = pytest.mark.slow

KEEPING = {"days": 3, "bytes": 1 << 20}


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Machine]:
    """A machine whose runtime is the core."""
    (tmp_path / "core").mkdir()
    with machine(
        tmp_path / "root", runtime=build_runtime(tmp_path / "core", parts=()).path
    ) as made:
        use(made, tmp_path)
        yield made


def use(target: Machine, folder: Path, *parts: str) -> None:
    """Continue with another runtime, as a studio does that needs other parts."""
    made = build_runtime(folder, parts=parts)
    target.layout.make()
    target.runtime = made.path.rename(target.layout.runtime(made.digest))


def parts_of(target: Machine, bundle: Bundle) -> frozenset[str]:
    """The parts of the runtime that a release is run with."""
    binding: dict[str, Any] = json.loads(target.layout.binding(bundle.digest).read_bytes())
    return packed_in(str(target.layout.runtimes / binding["runtime"]))


@pytest.mark.parametrize(
    ("part", "code", "sentence"),
    [
        ("language", "missing-part", "no part decisions, language, pictures, which version 1"),
        ("smell", "not-loaded", "needs the part 'smell', which this version"),
    ],
)
def test_a_release_with_a_part_that_is_not_there_is_refused_before_it_is_staged(
    target: Machine, tmp_path: Path, part: str, code: str, sentence: str
) -> None:
    bundle = make_bundle(tmp_path / "b")
    write_manifest(bundle.folder, {**bundle.raw, KEY: [part]})
    newer = Bundle.open(bundle.folder)
    target.begin(newer.digest)
    target.send(newer)
    answer = target.stage(newer)
    assert (answer["event"], answer["code"]) == ("error", code)
    assert sentence in answer["message"]
    assert not target.layout.release(newer.digest).exists()


def test_a_record_that_begins_starts_the_same_release_with_its_part(
    target: Machine, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "b")
    target.deploy(bundle)
    use(target, tmp_path, "decisions")
    target.ready(bundle)
    done = target.ok("switch", release=bundle.digest, soak_s=0, keeping=KEEPING)
    assert done["state"] == "unchanged"
    worker = json.loads(target.layout.server.read_bytes())["worker"]
    assert target.runtime.name in Path(f"/proc/{worker}/cmdline").read_text()


def test_an_earlier_release_gets_the_part_of_what_was_switched_on_since(
    target: Machine, tmp_path: Path
) -> None:
    first, second = make_bundle(tmp_path / "1"), make_bundle(tmp_path / "2", 2)
    target.deploy(first)
    use(target, tmp_path, "decisions")
    target.ready(second)
    target.ok("switch", release=second.digest, soak_s=0, keeping=KEEPING)
    assert parts_of(target, first) == frozenset()
    target.ok("rollback")
    assert parts_of(target, first) == {"decisions"}
    target.ok("end")
