"""Publication to a hawkBit server, at a fake of its published contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Refused, StudioError, TakenBack, TargetError, TargetSpec, UsageError
from studio.api.testing import Recorder
from studio_hawkbit.address import parse_address
from studio_hawkbit.container import description, name_in, name_of, write
from studio_hawkbit.platform import FleetPlatform
from studio_hawkbit.site import FleetSite
from tests.rigs.pull.hawkbit_server import HawkbitFake

OPTIONS = {"hardware": "default", "downgrade": None, "wait_s": 0, "most_failed": 10.0, "canary": 0}


@pytest.fixture
def server() -> Iterator[HawkbitFake]:
    with HawkbitFake() as one:
        yield one


@pytest.fixture
def site(server: HawkbitFake, tmp_path: Path) -> FleetSite:
    login = tmp_path / "login"
    login.write_text(server.login + "\n")
    login.chmod(0o600)
    settings = {"login": str(login), "plain": "yes"}
    url = f"hawkbit://127.0.0.1:{server.port}/DEFAULT/shop"
    return FleetPlatform().open(TargetSpec("fleet", url, "", settings), Recorder())


def parcel(folder: Path, version: int = 1, name: str = "digits") -> Parcel:
    """A bundle of one small file; its content is not looked at by a publication."""
    place = folder / f"bundle-{version}"
    place.mkdir()
    content = b"model %d" % version
    (place / "model.onnx").write_bytes(content)
    from hashlib import sha256

    files = {"model.onnx": {"sha256": sha256(content).hexdigest(), "bytes": len(content)}}
    raw = {"name": name, "version": version, "counter": version, "files": files}
    text = json.dumps(raw)
    (place / "manifest.json").write_text(text)
    return Parcel(place, place / "none.pyz", sha256(text.encode()).hexdigest(), raw)


def test_a_release_becomes_a_module_a_set_and_a_rollout(
    site: FleetSite, server: HawkbitFake, tmp_path: Path
) -> None:
    one = parcel(tmp_path)
    done = site.deploy(one, OPTIONS, Recorder())
    assert (done.state, done.release) == ("published", one.digest)
    assert server.modules[0]["version"] == f"1.1.0+{one.digest[:12]}"
    assert list(server.artifacts[1]) == [name_of(one).file]
    rollout = server.rollouts[0]
    assert rollout["status"] == "running"
    assert rollout["targetFilterQuery"] == "attribute.group==shop"
    assert rollout["errorCondition"] == {"condition": "THRESHOLD", "expression": "10"}
    assert rollout["errorAction"]["action"] == "PAUSE"


def test_a_repeated_publication_changes_nothing(
    site: FleetSite, server: HawkbitFake, tmp_path: Path
) -> None:
    one = parcel(tmp_path)
    site.deploy(one, OPTIONS, Recorder())
    again = site.deploy(one, OPTIONS, Recorder())
    assert (again.state, again.bytes_sent) == ("unchanged", 0)
    assert len(server.rollouts) == 1


def test_an_interrupted_upload_goes_on(
    site: FleetSite, server: HawkbitFake, tmp_path: Path
) -> None:
    one = parcel(tmp_path)
    site.deploy(one, OPTIONS, Recorder())
    server.sets.clear()
    server.rollouts.clear()
    assert site.deploy(one, OPTIONS, Recorder()).state == "published"
    assert len(server.modules) == 1


def test_a_preview_changes_nothing(site: FleetSite, server: HawkbitFake, tmp_path: Path) -> None:
    found = site.preview(parcel(tmp_path), OPTIONS)
    assert {one.name: one.state for one in found.actions} == {
        "signature": "warning",
        "artefact": "planned",
        "rollout": "warning",
    }
    assert not server.modules
    assert "hardware-compatibility" in found.documents["sw-description"]


def test_the_record_counts_boards_and_disbelieves_liars(
    site: FleetSite, server: HawkbitFake, tmp_path: Path
) -> None:
    one = parcel(tmp_path)
    version = name_of(one).text
    server.board("good", "in_sync", group="shop", sw_version=version)
    server.installed["good"] = version
    server.board("stale", "in_sync", group="shop", sw_version=version)
    server.board("liar", "registered", group="shop", sw_version=version)
    server.board("old", "in_sync", group="shop", sw_version="0.1")
    server.board("bad", "error", group="shop")
    server.board("elsewhere", "in_sync", group="office", sw_version=version)
    done = site.deploy(one, OPTIONS, Recorder())
    why = done.facts.pop("why")  # type: ignore[attr-defined]
    assert done.facts == {"boards": 5, "serving": 1, "failed": 1, "not_believed": 2}
    assert sorted(why) == ["liar", "stale"]
    row = site.releases()[0]
    assert (row.release, row.name, row.version) == (one.digest, "digits", 1)
    assert (row.state, row.traffic) == ("serving", 20)


def test_too_many_failures_pause_the_rollout(
    site: FleetSite, server: HawkbitFake, tmp_path: Path
) -> None:
    one = parcel(tmp_path)
    site.deploy(one, OPTIONS, Recorder())
    for number in range(10):
        status = "error" if number < 2 else "in_sync"
        server.board(f"board-{number}", status, group="shop")
    server.rollouts[0]["totalTargetsPerStatus"] = {"finished": 8, "error": 2}
    with pytest.raises(TakenBack, match="2 of 10 boards"):
        site.deploy(one, {**OPTIONS, "wait_s": 30.0}, Recorder())
    assert server.rollouts[0]["status"] == "paused"


def test_a_removal_pauses_and_a_purge_deletes(
    site: FleetSite, server: HawkbitFake, tmp_path: Path
) -> None:
    site.deploy(parcel(tmp_path), OPTIONS, Recorder())
    left = site.remove(False, Recorder())
    assert [one.running for one in left] == [False]
    assert list(site.remove(True, Recorder())) == []
    assert server.rollouts == []


def test_what_a_fleet_cannot_do_is_a_sentence(site: FleetSite, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no canary"):
        site.promote(Recorder())
    with pytest.raises(TargetError, match="by order"):
        site.rollback(None, Recorder())
    with pytest.raises(TargetError, match="cannot be reached"):
        site.infer(b"{}", 0)
    with pytest.raises(Refused, match="no canary"):
        site.deploy(parcel(tmp_path), {**OPTIONS, "canary": 10}, Recorder())


def test_a_wrong_login_is_a_sentence(server: HawkbitFake) -> None:
    url = f"hawkbit://127.0.0.1:{server.port}/DEFAULT"
    with pytest.raises(TargetError, match="wants a login"):
        FleetPlatform().open(TargetSpec("fleet", url, "", {"plain": "yes"}), Recorder())


def test_a_server_that_is_away_is_a_sentence() -> None:
    for kind in ("hawkbit", "goosebit"):
        spec = TargetSpec("fleet", f"{kind}://127.0.0.1:1/DEFAULT", "", {"plain": "yes"})
        with pytest.raises(TargetError, match="cannot be reached"):
            FleetPlatform().open(spec, Recorder())


@pytest.mark.parametrize(
    "url",
    [
        "hawkbit://",
        "hawkbit://host",
        "hawkbit://host/a/b/c",
        "hawkbit://host:0x/a",
        "hawkbit://ann:pw@host/a",
        "hawkbit://host/a?b",
        "hawkbit://host/a;b==c/d",
        "hawkbit://host/..%2f",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        parse_address(url, {})


def test_tls_is_the_default_and_the_login_is_private(tmp_path: Path) -> None:
    found = parse_address("goosebit://host:8443/DEFAULT/shop", {})
    assert found.base == "https://host:8443"
    assert found.context is not None
    assert found.context.check_hostname
    login = tmp_path / "login"
    login.write_text("ann:secret")
    login.chmod(0o644)
    with pytest.raises(UsageError, match="read by others"):
        parse_address("goosebit://host/DEFAULT", {"login": str(login)})
    login.chmod(0o600)
    private = parse_address("goosebit://host/DEFAULT", {"login": str(login)})
    assert "secret" not in repr(private)


@pytest.mark.parametrize("name", ["digits", "a b/c_d", "Ziffern ü", "100%"])
def test_a_release_is_found_again_by_its_file_name(name: str, tmp_path: Path) -> None:
    one = name_of(parcel(tmp_path, 3, name))
    assert name_in(one.file) == one
    assert "/" not in one.file


def test_files_of_other_programs_are_passed_over() -> None:
    assert name_in("firmware-1.0.swu") is None


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="too many"):
        name_of(parcel(tmp_path, 1, "x" * 61))


@pytest.mark.parametrize("hardware", ["", "a b", 'x"; y', "a/b c", "{"])
def test_hardware_that_could_change_the_description(hardware: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="no name of hardware"):
        description(name_of(parcel(tmp_path)), hardware)


def test_the_artefact_is_the_same_for_the_same_bundle(tmp_path: Path) -> None:
    one = parcel(tmp_path)
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        write(one, file, "default")
    assert files[0].read_bytes() == files[1].read_bytes()
    write(one, files[1], "default", b"an order")
    assert files[0].read_bytes() != files[1].read_bytes()


def test_an_answer_of_another_form_is_a_sentence(
    site: FleetSite, server: HawkbitFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd: list[Any] = [[1, 2], None, "text", {"content": [1]}, {"content": {}}]
    for answer in odd:
        monkeypatch.setattr("studio_hawkbit.rest.Rest.get", lambda *_, a=answer, **__: a)
        with pytest.raises(TargetError, match="another form"):
            site.releases()
