"""The plugin of MLflow against a fake server: the conformance suite, and what can go wrong.

The fake has the contract of MLflow's REST documentation; MLflow's own server is asked by
``tests/integration/mlflow``.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import (
    Cancelled,
    ModelVersion,
    Publication,
    Silent,
    StudioError,
    TargetError,
    Unavailable,
    UsageError,
)
from studio.api.testing_registries import check_registry
from studio_mlflow import artifacts
from studio_mlflow.flavour import flavour_files
from studio_mlflow.registry import MlflowRegistry
from studio_mlflow.session import MlflowSession
from tests.rigs.mlflow.fake import FakeMlflow, Refusal, running

OPTIONS = {"experiment": "Edgewright"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TRACKING_URI", "REGISTRY_URI", "TRACKING_USERNAME", "TRACKING_TOKEN"):
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def served() -> Iterator[tuple[FakeMlflow, str]]:
    with running() as found:
        yield found


@pytest.fixture
def fake(served: tuple[FakeMlflow, str]) -> FakeMlflow:
    return served[0]


@pytest.fixture
def session(served: tuple[FakeMlflow, str]) -> MlflowSession:
    return MlflowRegistry().open(served[1], Silent())


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    bundle = tmp_path / "bundle"
    (bundle / "golden").mkdir(parents=True)
    (bundle / "model.onnx").write_bytes(b"m" * 1000)
    (bundle / "golden" / "0.npz").write_bytes(b"g")
    model = {
        "file": "model.onnx",
        "format": "onnx",
        "inputs": [{"name": "x", "dtype": "float32", "shape": ["N", 3]}],
        "outputs": [{"name": "y", "dtype": "string", "shape": None}],
    }
    files = {"model.onnx": {}, "golden/0.npz": {}}
    manifest = {"name": "net", "version": 1, "counter": 1, "golden": {}, "model": model}
    manifest["files"] = files
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return Publication(bundle, "ab" * 32, manifest, "net", {"top1": 0.9}, {"precision": "int8"})


def push(session: MlflowSession, publication: Publication) -> ModelVersion:
    return session.push(publication, OPTIONS, Silent())


def sentence(call: Callable[[], Any], kind: type[StudioError] = TargetError) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return f"{caught.value.message} {caught.value.hint}"


def registered(fake: FakeMlflow) -> list[Any]:
    """All that a failed push could have left to be seen."""
    state = fake.state
    runs = [run for run in state.runs.values() if not run["deleted"]]
    return [*state.models, *state.versions, *runs]


def test_conformance(served: tuple[FakeMlflow, str], tmp_path: Path) -> None:
    check_registry(MlflowRegistry(), served[1], tmp_path)


def test_all_pages_are_read(
    session: MlflowSession, publication: Publication, fake: FakeMlflow
) -> None:
    push(session, publication)
    for name in ("a", "b"):
        fake.state.models[name] = {"name": name, "aliases": {}}
    assert [model.name for model in session.models()] == ["a", "b", "net"]


def test_the_run_has_figures_and_the_version_points_at_its_files(
    session: MlflowSession, publication: Publication, fake: FakeMlflow
) -> None:
    version = push(session, publication)
    run = fake.state.runs[version.run]
    assert run["info"]["status"] == "FINISHED"
    assert [(m["key"], m["value"]) for m in run["metrics"]] == [("top1", 0.9)]
    assert run["params"] == [{"key": "precision", "value": "int8"}]
    source = fake.state.versions["net", "1"]["source"]
    assert f"{artifacts.place_of(source)}/MLmodel" in fake.state.files


def test_the_flavour_says_what_mlflow_needs(publication: Publication) -> None:
    written = json.loads(flavour_files(publication.manifest, "run1")["MLmodel"])
    assert written["flavors"]["onnx"]["data"] == "model.onnx"
    assert written["flavors"]["python_function"]["loader_module"] == "mlflow.onnx"
    inputs, outputs = (json.loads(written["signature"][side]) for side in ("inputs", "outputs"))
    assert inputs == [
        {"name": "x", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}
    ]
    assert outputs[0]["tensor-spec"] == {"dtype": "str", "shape": [-1]}


def test_a_server_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    session = MlflowRegistry().open(f"http://127.0.0.1:{port}", Silent())
    told = sentence(session.models)
    assert told.startswith(f"The MLflow server at http://127.0.0.1:{port} cannot be reached:")


def test_a_server_that_is_slow(
    fake: FakeMlflow, served: tuple[FakeMlflow, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "0.2")
    fake.state.delay_s = 1.0
    session = MlflowRegistry().open(served[1], Silent())
    assert "did not answer within 0.2 s. MLFLOW_HTTP_REQUEST_TIMEOUT" in sentence(session.models)


def test_a_page_that_is_no_mlflow(session: MlflowSession, fake: FakeMlflow) -> None:
    fake.state.html = True
    assert "is not an MLflow server." in sentence(session.models)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "wants a login. Set MLFLOW_TRACKING_USERNAME"), (403, "does not allow this: no EDIT.")],
)
def test_who_may_not(session: MlflowSession, fake: FakeMlflow, status: int, said: str) -> None:
    fake.state.refusals["registered-models/search"] = Refusal(
        status, "PERMISSION_DENIED", "no EDIT"
    )
    assert said in sentence(session.models)


def test_a_redirect_is_not_followed(session: MlflowSession, fake: FakeMlflow) -> None:
    fake.state.refusals["registered-models/search"] = Refusal(302, "", "")
    assert "sends its callers elsewhere" in sentence(session.models)


def test_the_login_is_that_of_mlflows_client(
    served: tuple[FakeMlflow, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake, address = served
    kept = tmp_path / "home" / ".mlflow" / "credentials"
    kept.parent.mkdir(parents=True)
    kept.write_text("[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = p%w\n")
    session = MlflowRegistry().open(address, Silent())
    session.models()
    pair = base64.b64encode(b"ann:p%w").decode()
    assert fake.state.authorization == f"Basic {pair}"
    assert pair not in repr(session._rest.server)
    kept.unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    MlflowRegistry().open(address, Silent()).models()
    assert fake.state.authorization == "Bearer t0ken"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "Missing address of the MLflow server."),
        ("sqlite:///mlflow.db", "whose address begins with http://"),
        ("http://ann:secret@host", "carries no login."),
        ("http://", "whose address begins with"),
    ],
)
def test_addresses_that_cannot_be(address: str, said: str) -> None:
    told = sentence(lambda: MlflowRegistry().open(address, Silent()), UsageError)
    assert said in told
    assert "secret" not in told


@pytest.mark.parametrize("name", ["a/b", "a:b", " ", "x" * 256])
def test_names_that_mlflow_forbids(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, name: str
) -> None:
    forbidden = Publication(publication.bundle, "", publication.manifest, name)
    sentence(lambda: push(session, forbidden), UsageError)
    assert fake.state.asked == []


@pytest.mark.parametrize("alias", ["latest", "v3", "a b", ""])
def test_aliases_that_mlflow_forbids(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, alias: str
) -> None:
    forbidden = Publication(publication.bundle, "", publication.manifest, "net", aliases=(alias,))
    sentence(lambda: push(session, forbidden), UsageError)
    assert fake.state.asked == []


@pytest.mark.parametrize(
    "verb",
    ["runs/log-batch", "PUT file", "registered-models/create", "model-versions/create",
     "runs/update", "registered-models/alias"],
)  # fmt: skip
def test_a_push_that_fails_leaves_nothing(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, verb: str
) -> None:
    fake.state.refusals[verb] = Refusal(500, "INTERNAL_ERROR", "disk is full")
    named = Publication(publication.bundle, "", publication.manifest, "net", aliases=("champion",))
    assert "disk is full." in sentence(lambda: push(session, named))
    assert registered(fake) == []


def test_a_push_that_is_cancelled_leaves_nothing(
    session: MlflowSession, publication: Publication, fake: FakeMlflow
) -> None:
    class Stopped(Silent):
        def progress(self, done: float, total: float, text: str = "") -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        session.push(publication, OPTIONS, Stopped())
    assert registered(fake) == []


def test_a_model_that_was_there_stays_when_a_push_fails(
    session: MlflowSession, publication: Publication, fake: FakeMlflow
) -> None:
    push(session, publication)
    fake.state.refusals["model-versions/create"] = Refusal(500, "INTERNAL_ERROR", "no")
    sentence(lambda: push(session, publication))
    assert [version.version for version in session.versions("net")] == ["1"]


def test_a_version_that_is_gone(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, tmp_path: Path
) -> None:
    version = push(session, publication)
    del fake.state.versions["net", "1"]
    assert "net has no version 1" in sentence(lambda: session.find("net", "1"), UsageError)
    assert "not found." in sentence(lambda: session.pull(version, tmp_path / "p", Silent()))


def test_an_alias_that_is_missing(session: MlflowSession, publication: Publication) -> None:
    push(session, publication)
    told = sentence(lambda: session.find("net", alias="champion"), UsageError)
    assert told.startswith("net has no alias 'champion'")


def test_a_file_that_is_gone(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, tmp_path: Path
) -> None:
    version = push(session, publication)
    del fake.state.files[next(name for name in fake.state.files if name.endswith("model.onnx"))]
    told = sentence(lambda: session.pull(version, tmp_path / "p", Silent()))
    assert "model.onnx is gone from the server's store." in told


def test_files_larger_than_the_disk(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, tmp_path: Path
) -> None:
    version = push(session, publication)
    fake.state.extra_bytes = shutil.disk_usage(tmp_path).total
    told = sentence(lambda: session.pull(version, tmp_path / "p", Silent()))
    assert "MB of the disk are free. Make room" in told
    assert not any((tmp_path / "p").iterdir())


def test_a_file_of_another_size_than_listed(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, tmp_path: Path
) -> None:
    version = push(session, publication)
    fake.state.extra_bytes = 1
    told = sentence(lambda: session.pull(version, tmp_path / "p", Silent()))
    assert "did not arrive whole" in told


def test_a_name_that_leads_out_of_the_folder(
    session: MlflowSession, publication: Publication, fake: FakeMlflow,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    version = push(session, publication)
    hostile = {"files": [{"path": "..", "is_dir": False, "file_size": 1}]}
    monkeypatch.setattr(fake, "listing", lambda folder: hostile)
    told = sentence(lambda: session.pull(version, tmp_path / "p", Silent()))
    assert "cannot be fetched: '..'." in told


def test_artefacts_that_the_server_does_not_pass_on(
    session: MlflowSession, publication: Publication, fake: FakeMlflow, tmp_path: Path
) -> None:
    version = push(session, publication)
    fake.state.versions["net", "1"]["source"] = "s3://bucket/model"
    told = sentence(lambda: session.pull(version, tmp_path / "p", Silent()), Unavailable)
    assert "--serve-artifacts" in told
