"""Packaging with any plugin's packager: its options, its answer, and where its files go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from studio.api import Kind, Option, Parcel, Progress, StudioError, Unavailable, UsageError
from studio.cli.commands import package as package_command
from studio.cli.parser import CommandParser
from studio.deployment.artifacts import packager as artifact
from studio.deployment.artifacts.packager_step import PackageAsOptions
from studio.documents.dataclass_json import from_json
from studio.packages import Bundle
from studio.packages import record as packages
from studio.packages.results import PackageResult
from studio.plugin_host import PluginHost
from studio.registry import ModelRef
from tests.rigs.bundles import QuietJob, make_bundle


class Tarball:
    """A packager of a third party."""

    id = "tarball"
    title = "Tarball"
    options = (
        Option("level", Kind.INTEGER, default=1, minimum=1),
        Option("write", Kind.FLAG),
        Option("key", Kind.FILE),
    )

    def build(
        self, parcel: Parcel, output: Path, options: Mapping[str, Any], progress: Progress
    ) -> Mapping[str, Any]:
        if options["write"]:
            output.mkdir()
            (output / "it.tar").write_text(parcel.digest)
        return {
            "path": str(output / "it.tar"),
            "bytes": 64,
            "level": options["level"],
            "key": options["key"],
        }


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    made = make_bundle(tmp_path / "bundle", 1)
    packaged = PackageResult(
        bundle=str(made.folder),
        digest=made.digest,
        bytes=made.size,
        image=None,
        name=made.name,
        version=made.version,
        counter=made.counter,
        new=True,
    )
    monkeypatch.setattr(artifact, "package_contained", lambda options, job: packaged)
    find = PluginHost.get

    def get(host: PluginHost, extension: Any, identifier: str) -> Any:
        return Tarball() if identifier == Tarball.id else find(host, extension, identifier)

    monkeypatch.setattr(PluginHost, "get", get)
    return made


def packaged_as(arguments: dict[str, Any], job: QuietJob, registry: Any = None) -> dict[str, Any]:
    """The work, then the record, as the runner calls them."""
    options = options_of(arguments)
    work = artifact.package_as(options, job)
    return artifact.packaged_as(registry, options, work, job.folder)


def options_of(arguments: dict[str, Any]) -> PackageAsOptions:
    model = ModelRef("m.onnx", "d", 1, 1, "m", "fp32", "onnx", "fp32").to_json()
    return from_json(PackageAsOptions, {"model": model, **arguments})


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record of the bundle itself, which is that of the step package, is left out."""

    def packaged(
        registry: Any, options: Any, result: PackageResult, folder: Path, hidden: Any
    ) -> PackageResult:
        assert set(hidden) == {"as", "as_out", "set"}
        return result

    monkeypatch.setattr(packages, "packaged", packaged)


def test_a_packager_gets_the_bundle_and_its_options(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "made"
    arguments = {"as": "tarball", "set": ["level=3", "write=yes"], "as_out": str(out)}
    result = packaged_as(arguments, QuietJob(tmp_path / "job"))
    assert result["made"] == {"path": str(out / "it.tar"), "bytes": 64, "level": 3, "key": None}
    assert (out / "it.tar").read_text() == bundle.digest
    assert (result["as"], result["bundle"]) == ("tarball", str(bundle.folder))


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize(
    ("given", "read"), [("a.pem", "/desk/a.pem"), ("/etc/a.pem", "/etc/a.pem"), ("", "")]
)
def test_a_file_among_the_options_is_relative_to_where_the_user_is(
    given: str, read: str, tmp_path: Path
) -> None:
    arguments = {"as": "tarball", "set": [f"key={given}"], "folder": "/desk"}
    result = packaged_as(arguments, QuietJob(tmp_path / "job"))
    assert result["made"]["key"] == read


@pytest.mark.usefixtures("bundle")
def test_files_go_beside_the_copy_of_the_bundle(tmp_path: Path) -> None:
    arguments = {"as": "tarball", "set": ["write=yes"], "out": str(tmp_path / "copy")}
    result = packaged_as(arguments, QuietJob(tmp_path / "job"))
    assert result["made"]["path"] == str(tmp_path / "copy-tarball" / "it.tar")
    assert (tmp_path / "copy-tarball" / "it.tar").is_file()


@pytest.mark.usefixtures("bundle")
def test_files_without_a_place_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        packaged_as({"as": "tarball", "set": ["write=yes"]}, QuietJob(tmp_path / "job"))
    assert "--as-out" in caught.value.hint


@pytest.mark.usefixtures("bundle")
def test_a_packager_that_writes_nothing_needs_no_folder(tmp_path: Path) -> None:
    result = packaged_as({"as": "tarball"}, QuietJob(tmp_path / "job"))
    assert result["made"]["level"] == 1


@pytest.mark.usefixtures("bundle")
def test_what_lies_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("mine")
    arguments = {"as": "tarball", "set": ["write=yes"], "as_out": str(tmp_path / "mine")}
    with pytest.raises(StudioError, match="exists"):
        packaged_as(arguments, QuietJob(tmp_path / "job"))
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["work.txt"]


@pytest.mark.usefixtures("bundle")
def test_an_option_or_a_packager_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Unknown option 'colour'"):
        artifact.package_as(
            options_of({"as": "tarball", "set": ["colour=red"]}), QuietJob(tmp_path / "a")
        )
    with pytest.raises(UsageError, match="Missing option Types of boards") as missing:
        artifact.package_as(options_of({"as": "mender"}), QuietJob(tmp_path / "c"))
    assert missing.value.hint == "Pass --set device_type=VALUE."
    with pytest.raises(Unavailable, match="Unknown packager 'nothing'") as caught:
        artifact.package_as(options_of({"as": "nothing"}), QuietJob(tmp_path / "b"))
    assert "image, greengrass, manifests, mender" in caught.value.hint


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["--as", "tarball"], "package-as"),
        (["--image", "d:1"], "image"),
        (["--deb", "out.deb"], "deb"),
        ([], "package"),
    ],
)
def test_the_command_chooses_the_step(
    words: list[str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = CommandParser()
    package_command.add(parser)
    asked: list[str] = []
    monkeypatch.setattr(package_command, "run_named", lambda name, *_: asked.append(name) or 0)
    assert package_command.run(parser.parse_args(["m.onnx", *words])) == 0
    assert asked == [step]


@pytest.mark.parametrize("other", [["--image", "d:1"], ["--deb", "out.deb"]])
def test_two_ways_at_once_are_refused(other: list[str]) -> None:
    parser = CommandParser()
    package_command.add(parser)
    with pytest.raises(UsageError, match="--as cannot be combined"):
        package_command.run(parser.parse_args(["m.onnx", "--as", "tarball", *other]))
