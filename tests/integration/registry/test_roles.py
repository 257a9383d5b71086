"""The roles viewer, operator and approver, as PostgreSQL itself enforces them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.api import StudioError, TargetSpec
from studio.registry import Artifact, Registry, VariantRecord, VersionRecord
from studio.registry.servers.changes import recorded
from studio.registry.servers.server_schema import roles
from tests.rigs.postgres import PostgresServer

Open = Callable[..., Registry]
REFUSED = "Your database role may not make this change in the registry"


@pytest.fixture
def made(open_shared: Open, postgres: PostgresServer, database: str, tmp_path: Path) -> Registry:
    """The owner's registry, with the three roles and a person for each."""
    registry = open_shared("owner")
    postgres.sql(roles(), database)
    for name in ("viewer", "operator", "approver"):
        postgres.add_role(name, f"edgewright_{name}")
    file = tmp_path / "model.onnx"
    file.write_bytes(b"weights")
    model = registry.add_model("digits")
    registry.add_variant(model, "fp32", registry.adopt(file), format="onnx", precision="fp32")
    return registry


def add_version(registry: Registry, folder: Path) -> VersionRecord:
    """Package the model, as far as the registry is concerned."""
    folder.mkdir()
    (folder / "manifest.json").write_text(folder.name)
    variant: VariantRecord = registry.find("digits")
    kept: Artifact = registry.adopt(folder)
    return registry.add_version(variant.model, variant.id, kept, folder.name, 1)


def test_a_viewer_reads_and_changes_nothing(made: Registry, open_shared: Open) -> None:
    viewer = open_shared("viewer", "viewer")
    assert viewer.find("digits").digest == made.find("digits").digest
    for change in (
        lambda: viewer.add_model("other"),
        lambda: viewer.add_target(TargetSpec("pi", "ssh://pi")),
        lambda: viewer.add_release("pi", None, "d", "serving", {}),
        lambda: viewer.ledger.add_action("open", {}, {}, "command"),
    ):
        with pytest.raises(StudioError, match=REFUSED) as caught:
            change()
        assert "studio registry roles" in caught.value.hint
    assert [one.name for one in made.models()] == ["digits"]


def test_an_operator_packages_and_deploys_and_does_not_promote(
    made: Registry, open_shared: Open, tmp_path: Path
) -> None:
    operator = open_shared("operator", "operator")
    version = add_version(operator, tmp_path / "bundle")
    operator.add_target(TargetSpec("pi", "ssh://pi"))
    operator.groups.set("roof", ["pi"])
    operator.add_release("pi", version.id, version.digest, "serving", {})
    operator.ledger.add_action("deploy", {}, {}, "command")
    operator.ledger.store_result("key", "package", "run", {})
    operator.remove_target("pi")
    with pytest.raises(StudioError, match=REFUSED):
        operator.ledger.move_alias(
            version.model, "prod", version.id, why="", evidence={}, by="operator"
        )
    assert made.ledger.aliases() == []
    assert made.releases("pi")[0].digest == "bundle"


def test_an_approver_promotes(made: Registry, open_shared: Open, tmp_path: Path) -> None:
    version = add_version(made, tmp_path / "bundle")
    approver = open_shared("approver", "approver")
    move = (version.model, "prod", version.id)
    approver.ledger.move_alias(*move, why="tested", evidence={}, by="approver")
    assert [one.version for one in made.ledger.aliases()] == [version.id]


def test_only_an_approver_ends_the_protection_of_a_target(
    made: Registry, open_shared: Open, postgres: PostgresServer, database: str
) -> None:
    import psycopg

    operator, approver = open_shared("operator", "operator"), open_shared("approver", "approver")
    for name in ("cam", "pi"):
        operator.add_target(TargetSpec(name, f"ssh://{name}"))
    operator.labels.change("cam", {"approval": "required"})
    with pytest.raises(StudioError, match=REFUSED) as caught:
        operator.labels.change("cam", {"approval": ""})
    assert "only an approver may do this" in caught.value.detail
    with pytest.raises(StudioError, match=REFUSED):
        operator.remove_target("cam")
    address = postgres.address(database, "operator")
    alias = (
        '{"@labels": {"approval": "\\u0072equired"}}'  # for JSON the same, but no studio finds it
    )
    for change in (
        "url = 'ssh://x'",
        "name = 'x'",
        "host_key = 'of another board'",
        "settings = '{}'",
        """settings = '{"@labels": {"approval": "required"}, "sudo": "true"}'""",
        f"settings = '{alias}'",
    ):
        with (
            psycopg.connect(address, passfile=str(postgres.passfile)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"UPDATE targets SET {change} WHERE name = 'cam'".encode())
    operator.groups.set("roof", ["cam"])
    operator.set_facts("cam", {"system": "Linux"})
    operator.labels.change("cam", {"site": "berlin"})
    operator.remove_target("pi")
    assert made.labels.having("approval", "required") == {"cam": "ssh://cam"}
    approver.labels.change("cam", {"approval": ""})
    operator.remove_target("cam")
    assert made.labels.all() == {}


@pytest.mark.parametrize("table", ["releases", "runs", "versions", "moves", "changes"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = DEFAULT"])
def test_no_person_rewrites_the_history(
    made: Registry, postgres: PostgresServer, database: str, table: str, statement: str
) -> None:
    import psycopg

    made.add_release("pi", None, "d", "serving", {})
    address = postgres.address(database, "approver")
    with (
        psycopg.connect(address, passfile=str(postgres.passfile)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.format(table).encode())


def test_each_change_is_recorded_with_its_role(
    made: Registry, open_shared: Open, tmp_path: Path
) -> None:
    operator = open_shared("operator", "operator")
    add_version(operator, tmp_path / "bundle")
    assert made.shared is not None
    last = recorded(made.shared.database, 1)[0]
    assert (last.role, last.change, last.subject) == ("operator", "insert", "versions")


def test_the_roles_can_be_made_again(
    made: Registry, postgres: PostgresServer, database: str
) -> None:
    postgres.sql(roles(), database)
    found = postgres.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'edgewright_%'")
    assert found == [(3,)]


def test_a_role_without_a_registry_creates_none(
    open_shared: Open, postgres: PostgresServer
) -> None:
    postgres.add_role("viewer")
    with pytest.raises(StudioError, match="are not ready"):
        open_shared("viewer", "viewer")
