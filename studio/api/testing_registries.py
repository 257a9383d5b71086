"""The conformance suite of registries: two versions on their way there and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from studio.api.errors import StudioError, UsageError
from studio.api.options import validate
from studio.api.ports import ModelRegistry
from studio.api.progress import Silent
from studio.api.registries import ModelVersion, Publication, RegistrySession

_NAME = "conformance"


def check_registry(registry: ModelRegistry, address: str, folder: Path) -> None:
    """Push twice, find, move an alias, pull, and ask for what is not there.

    Args:
        address: Of a registry that has no model called ``conformance``.
        folder: For files; it need not exist.
    """
    options = validate(registry.options, {})
    with closing(registry.open(address, Silent())) as session:
        pushed = [
            session.push(_publication(folder / f"bundle-{number}", number), options, Silent())
            for number in (1, 2)
        ]
        _check_versions(session, pushed)
        _check_aliases(session, pushed)
        for version in pushed:
            _check_pull(session, version, folder)
        _check_missing(session)


def _publication(bundle: Path, number: int) -> Publication:
    """A bundle as far as a registry looks into it."""
    bundle.mkdir(parents=True)
    (bundle / "model.bin").write_bytes(b"weights" * number)
    manifest = {
        "name": _NAME,
        "version": number,
        "counter": number,
        "model": {"file": "model.bin", "format": "other", "inputs": [], "outputs": []},
        "golden": {},
        "files": {"model.bin": {"sha256": "", "bytes": 7 * number}},
    }
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    aliases = ("champion",) if number == 1 else ()
    digest = f"{number:064x}"
    return Publication(bundle, digest, manifest, _NAME, {"figure": 0.5}, {"k": "v"}, {}, aliases)


def _check_versions(session: RegistrySession, pushed: list[ModelVersion]) -> None:
    numbers = [version.version for version in pushed]
    assert len(set(numbers)) == 2, f"two pushes made the versions {numbers}"
    found = session.versions(_NAME)
    assert [one.version for one in found] == numbers[::-1], "versions: the newest first"
    assert [one.release for one in found] == [f"{n:064x}" for n in (2, 1)], "releases are kept"
    assert session.find(_NAME).version == numbers[1], "without more, the newest is meant"
    assert session.find(_NAME, version=numbers[0]).version == numbers[0]
    model = next((one for one in session.models() if one.name == _NAME), None)
    assert model is not None, "models() does not name what was pushed"
    assert model.latest == numbers[1]
    assert {one.version for one in session.history(_NAME)} >= set(numbers)


def _check_aliases(session: RegistrySession, pushed: list[ModelVersion]) -> None:
    first, second = (version.version for version in pushed)
    assert session.find(_NAME, alias="champion").version == first, "push sets aliases"
    session.set_alias(_NAME, "champion", second, "ann")
    assert session.find(_NAME, alias="champion").version == second, "an alias moves"
    assert "champion" not in session.find(_NAME, version=first).aliases, "and leaves where it was"
    session.set_alias(_NAME, "champion", first, "ann")
    assert "champion" in session.find(_NAME, version=first).aliases, "and moves back"
    session.remove_alias(_NAME, "champion", "ann")
    _refused(lambda: session.find(_NAME, alias="champion"))


def _check_pull(session: RegistrySession, version: ModelVersion, folder: Path) -> None:
    place = folder / f"pulled-{version.version}"
    path = session.pull(version, place, Silent())
    assert path == place, "what was pushed as a bundle comes back as its folder"
    number = json.loads((place / "manifest.json").read_text())["version"]
    assert (place / "model.bin").read_bytes() == b"weights" * number
    assert {one.name for one in place.iterdir()} == {"manifest.json", "model.bin"}, (
        "nothing lies in a bundle but its files"
    )


def _check_missing(session: RegistrySession) -> None:
    _refused(lambda: session.find(_NAME, version="999"))
    _refused(lambda: session.find("conformance-none"))
    _refused(lambda: session.set_alias(_NAME, "champion", "999", "ann"))


def _refused(call: Callable[[], object]) -> None:
    try:
        call()
    except UsageError:
        return
    except StudioError as error:
        raise AssertionError(f"what is not there is a UsageError, not {error!r}") from error
    raise AssertionError("what is not there was found")
