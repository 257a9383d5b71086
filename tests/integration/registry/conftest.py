"""PostgreSQL and an S3 server, each real and of its own, and studios that share them."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from studio.registry import Registry
from studio.registry.servers.address import SharedAddress, use
from tests.conftest import IN_CI
from tests.e2e.conftest import Studio
from tests.rigs import postgres as postgres_rig
from tests.rigs import s3 as s3_rig
from tests.rigs.postgres import PostgresServer
from tests.rigs.s3 import ObjectServer

DRIVER = ("psycopg[binary]==3.3.9",)
_numbers = itertools.count()


def missing(text: str) -> NoReturn:
    """Skip for a part that is not there; fail in CI."""
    if IN_CI:
        pytest.fail(f"{text} (a part that is missing in CI is a failure)", pytrace=False)
    pytest.skip(text)


@pytest.fixture(scope="session")
def driver_folder(rigs: Path) -> Path:
    """The folder of psycopg, which is no part of the tests' environment."""
    home = rigs / "psycopg-3.3.9"
    if not home.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(home)]
        subprocess.run([*command, *DRIVER], check=True, timeout=300)
    sys.path.append(str(home))
    return home


@pytest.fixture(scope="session")
def postgres(rigs: Path, driver_folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    programs = postgres_rig.programs(rigs)
    if programs is None:
        missing(postgres_rig.NEEDED)
    with (
        postgres_rig.public_folder() as folder,
        postgres_rig.running(programs, folder / "cluster") as server,
    ):
        yield server


@pytest.fixture(scope="session")
def bucket(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """A server with the S3 protocol and one bucket."""
    rclone = s3_rig.program(rigs)
    if rclone is None:
        missing(s3_rig.NEEDED)
    with s3_rig.serving(rclone, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(autouse=True)
def logins(postgres: PostgresServer, bucket: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let libpq and boto3 find their logins where a user keeps them."""
    for name, value in {**postgres.environment, **bucket.environment}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The name of a new database."""
    name = f"registry{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def address(postgres: PostgresServer, bucket: ObjectServer, database: str) -> SharedAddress:
    """A shared registry without tables yet."""
    blobs = f"{bucket.blobs}/{database}"
    return SharedAddress.of(postgres.address(database), blobs, bucket.endpoint)


@pytest.fixture
def open_shared(address: SharedAddress, tmp_path: Path) -> Iterator[Callable[..., Registry]]:
    """Open the shared registry as another studio each time, for a role."""
    opened: list[Registry] = []

    def call(home: str = "", role: str = "owner") -> Registry:
        folder = tmp_path / (home or f"studio{len(opened)}") / "registry"
        database = address.database.replace("://owner@", f"://{role}@")
        use(folder, SharedAddress.of(database, address.blobs, address.endpoint))
        opened.append(Registry.open(folder))
        return opened[-1]

    yield call
    for registry in opened:
        registry.close()


@pytest.fixture
def new_studio(driver_folder: Path, tmp_path: Path) -> Callable[[str], Studio]:
    """The command with a home of its own, and with psycopg."""

    def call(name: str) -> Studio:
        studio = Studio(tmp_path / name)
        path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(driver_folder))))
        studio.environment.update(PYTHONPATH=path)
        return studio

    return call
