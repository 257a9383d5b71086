"""Plans that a studio shares with the approvers of a PostgreSQL registry, and their answers."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.api import Refused, StudioError
from studio.documents.dataclass_json import to_json
from studio.plans import Approval, PlanEntry, PlanRequest, approvals
from studio.plans.plans import Plans
from studio.registry import Registry
from studio.registry.servers.address import SharedAddress, use
from studio.registry.servers.server_schema import roles
from studio.workspace import Workspace
from tests.e2e.conftest import STUDIO, Studio
from tests.integration.registry.test_roles import REFUSED
from tests.rigs.agents.sessions import approve
from tests.rigs.boards import until
from tests.rigs.plan_approvers import allow, approver_key, set_author
from tests.rigs.postgres import PostgresServer

New = Callable[[str, str], Workspace]
ORDER = PlanRequest("undeploy", {"target": "local"})


@pytest.fixture
def studio(
    open_shared: Callable[..., Registry],
    postgres: PostgresServer,
    address: SharedAddress,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[New]:
    """Open the registry, whose `local` is protected, as a person of a role at a computer."""
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})
    open_shared("owner").labels.change("local", {"approval": "required"})
    postgres.sql(roles(), database)
    opened: list[Workspace] = []

    def call(person: str, role: str) -> Workspace:
        postgres.add_role(person, f"edgewright_{role}")
        home = tmp_path / person
        login = address.database.replace("://owner@", f"://{person}@")
        folder = home / "data" / "registry"
        use(folder, SharedAddress.of(login, address.blobs, address.endpoint))
        opened.append(Workspace.open(home))
        assert opened[-1].registry.shared is not None
        return opened[-1]

    yield call
    for one in opened:
        one.close()


@pytest.fixture
def anna(studio: New) -> Workspace:
    """An operator."""
    anna = studio("anna", "operator")
    set_author(anna.paths)
    return anna


@pytest.fixture
def ben(studio: New, anna: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An approver at another computer."""
    monkeypatch.setattr(approvals, "owner", lambda: "ben@laptop")
    return studio("ben", "approver")


@pytest.fixture
def made(anna: Workspace) -> PlanEntry:
    return anna.plans.make(ORDER)


def listed(workspace: Workspace) -> list[tuple[str, bool]]:
    """State of each plan, and whether another studio made it."""
    return [(one.state, one.is_foreign) for one in workspace.plans.all()]


def test_an_approver_finds_the_plan_and_its_studio_finds_the_approval(
    anna: Workspace, ben: Workspace, made: PlanEntry
) -> None:
    assert anna.plans.is_shared(made.digest)
    assert (listed(anna), listed(ben)) == ([("waiting", False)], [("waiting", True)])
    assert ben.plans.waiting() == 1
    assert ben.plans.one(made.digest[:8]).plan == made.plan
    with pytest.raises(Refused, match="is not approved"):
        anna.plans.start(made.digest)
    assert ben.plans.approve(made.digest).by == "ben"
    assert (ben.plans.waiting(), listed(ben)) == (0, [("approved", True)])
    with pytest.raises(Refused, match="made by another studio, which carries it out"):
        ben.plans.start(made.digest)
    assert (anna.plans.one(made.digest).state, anna.plans.one(made.digest).by) == (
        "approved",
        "ben",
    )
    job = anna.plans.start(made.digest)
    assert job.spec.step == "undeploy"
    job.wait()
    assert listed(ben) == []
    with pytest.raises(Refused, match="carried out already"):
        anna.plans.start(made.digest)


def test_a_start_reads_the_answer_itself(anna: Workspace, ben: Workspace, made: PlanEntry) -> None:
    ben.plans.approve(made.digest)
    anna.plans.start(made.digest).wait()


def test_a_rejection_ends_the_plan_also_after_an_approval(
    anna: Workspace, ben: Workspace, made: PlanEntry
) -> None:
    ben.plans.approve(made.digest)
    assert anna.plans.one(made.digest).state == "approved"
    ben.plans.reject(made.digest)
    found = anna.plans.one(made.digest)
    assert (found.state, found.by) == ("rejected", "ben")
    assert listed(ben) == []
    with pytest.raises(Refused, match="rejected by ben"):
        anna.plans.start(made.digest)


def test_a_plan_that_its_author_rejects_leaves_the_lists(
    anna: Workspace, ben: Workspace, made: PlanEntry
) -> None:
    anna.plans.reject(made.digest)
    assert (listed(anna), listed(ben)) == ([("rejected", False)], [])


def test_what_needs_no_second_person_is_not_shared(anna: Workspace, ben: Workspace) -> None:
    ben.registry.labels.change("local", {"approval": ""})
    entry = anna.plans.make(ORDER)
    assert not anna.plans.is_shared(entry.digest)
    assert listed(ben) == []


def test_what_another_studio_made_is_only_answered(ben: Workspace, made: PlanEntry) -> None:
    for refused in (
        lambda: ben.plans.revoke(made.digest),
        lambda: ben.plans.receive(made.digest, Approval(made.digest, "", 0, 2e9)),
    ):
        with pytest.raises(Refused, match="made by another studio"):
            refused()


def test_an_operator_and_a_viewer_answer_nothing(
    anna: Workspace, studio: New, monkeypatch: pytest.MonkeyPatch, made: PlanEntry
) -> None:
    monkeypatch.setattr(approvals, "owner", lambda: "eve@desk")
    for role in ("operator", "viewer"):
        eve = studio(f"eve_{role}", role)
        assert listed(eve) == [("waiting", True)]
        for answer in (eve.plans.approve, eve.plans.reject):
            with pytest.raises(StudioError, match=REFUSED):
                answer(made.digest)
    assert anna.plans.one(made.digest).state == "waiting"


def test_the_role_that_made_a_plan_does_not_approve_it(
    ben: Workspace, studio: New, postgres: PostgresServer, database: str
) -> None:
    """Also when its studio is changed to send the approval: the server records the role."""
    entry = ben.plans.make(ORDER)
    again = studio("ben", "approver").plans
    folder = ben.paths.data / "plans"
    folder.rename(folder.with_name("elsewhere"))  # as seen from another computer of the same person
    with pytest.raises(Refused, match="The database role ben has made this plan"):
        again.approve(entry.digest)
    folder.with_name("elsewhere").rename(folder)
    assert ben.registry.shared is not None
    given = Approval(entry.digest, "carl@desk", time.time(), entry.plan.expires)
    ben.registry.shared.plans.answer(entry.digest, json.dumps({"approval": to_json(given)}))
    found = ben.plans.one(entry.digest)
    assert found.state == "waiting"
    assert "The answer of ben does not count: The database role ben has made" in found.outcome


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO plan_answers (plan, content, role) VALUES ('x', '', 'carl')",
        "INSERT INTO plans (digest, content, expires, role) VALUES ('x', '', 1, 'carl')",
        "UPDATE plans SET content = ''",
        "UPDATE plan_answers SET content = ''",
        "DELETE FROM plans",
        "DELETE FROM plan_answers",
    ],
)
def test_nobody_writes_in_the_name_of_another(
    ben: Workspace, postgres: PostgresServer, database: str, statement: str
) -> None:
    import psycopg

    with (
        psycopg.connect(postgres.address(database, "ben"), passfile=str(postgres.passfile)) as link,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        link.execute(statement.encode())


def test_named_approvers_have_to_sign(
    anna: Workspace, ben: Workspace, made: PlanEntry, tmp_path: Path
) -> None:
    right, wrong = approver_key(tmp_path, "right"), approver_key(tmp_path, "wrong")
    allow(anna.paths, right, "ben@laptop")
    ben.plans.approve(made.digest)
    assert "does not count: Only a signature" in anna.plans.one(made.digest).outcome
    ben.plans.approve(made.digest, wrong)
    assert "No approver in" in anna.plans.one(made.digest).outcome
    assert anna.plans.one(made.digest).state == "waiting"
    ben.plans.approve(made.digest, right)
    found = anna.plans.one(made.digest)
    assert (found.state, found.by, found.outcome) == ("approved", "ben@laptop", "")


def test_the_role_of_the_author_does_not_approve_with_another_key(
    ben: Workspace, studio: New, tmp_path: Path
) -> None:
    """Also where approvers are named: the key of another person does not make another role."""
    other = approver_key(tmp_path, "other")
    allow(ben.paths, other, "carl@desk")
    made = ben.plans.make(ORDER)
    again = studio("ben", "approver").plans
    folder = ben.paths.data / "plans"
    folder.rename(folder.with_name("elsewhere"))  # as seen from another computer of the same person
    with pytest.raises(Refused, match="The database role ben has made this plan"):
        again.approve(made.digest, other)
    folder.with_name("elsewhere").rename(folder)
    given = approvals.signed(made.digest, made.plan, other, time.time())
    assert ben.registry.shared is not None
    ben.registry.shared.plans.answer(made.digest, json.dumps({"approval": to_json(given)}))
    assert "The database role ben has made" in ben.plans.one(made.digest).outcome


@pytest.mark.parametrize(
    "text", ["", "[1]", "{}", '{"approval": 3}', '{"rejection": {}}', "[" * 100_000, "\0"]
)
def test_an_answer_of_anything_counts_for_nothing(
    anna: Workspace, ben: Workspace, made: PlanEntry, text: str
) -> None:
    assert ben.registry.shared is not None
    ben.registry.shared.plans.answer(made.digest, text)
    found = anna.plans.one(made.digest)
    assert (found.state, found.outcome) == (
        "waiting",
        "The answer of ben does not count: It is no approval.",
    )
    assert listed(ben) == [("waiting", True)]


def test_an_approval_of_another_plan_counts_for_nothing(
    anna: Workspace, ben: Workspace, made: PlanEntry
) -> None:
    assert ben.registry.shared is not None
    given = to_json(Approval("0" * 64, "ben@laptop", time.time(), 2e9))
    ben.registry.shared.plans.answer(made.digest, json.dumps({"approval": given}))
    assert "is of another plan" in anna.plans.one(made.digest).outcome


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff" * 9, b"[" * 100_000])
def test_a_plan_that_the_owner_altered_is_not_listed(
    ben: Workspace, made: PlanEntry, postgres: PostgresServer, database: str, content: bytes
) -> None:
    postgres.sql(f"UPDATE plans SET content = '\\x{content.hex()}'", database)
    assert listed(ben) == []
    with pytest.raises(StudioError, match="Unknown plan"):
        ben.plans.one(made.digest)


def test_many_large_plans_and_answers_are_read_in_part(
    anna: Workspace, ben: Workspace, made: PlanEntry
) -> None:
    assert anna.registry.shared is not None
    assert ben.registry.shared is not None
    rows = anna.registry.shared.plans
    for number in range(6):
        rows.add(f"{number}" * 64, "x" * (4 << 20), made.plan.expires - 1)
    assert [len(one.text) for one in rows.open()[1:]] == [4 << 20] * 3
    assert listed(ben) == [("waiting", True)]
    ben.registry.shared.plans.answer(made.digest, "x" * (1 << 20))
    assert rows.answers([made.digest]) == {}
    ben.plans.approve(made.digest)
    ben.plans.reject(made.digest)
    assert anna.plans.one(made.digest).state == "rejected"


def test_a_plan_that_has_expired_is_not_listed(
    ben: Workspace, made: PlanEntry, postgres: PostgresServer, database: str
) -> None:
    postgres.sql("UPDATE plans SET expires = 1", database)
    assert listed(ben) == []


def test_without_the_new_roles_a_plan_is_made_and_not_shared(
    anna: Workspace, postgres: PostgresServer, database: str
) -> None:
    postgres.sql(
        "REVOKE INSERT (digest, content, expires) ON plans FROM edgewright_operator", database
    )
    entry = anna.plans.make(ORDER)
    assert entry.state == "waiting"
    assert not anna.plans.is_shared(entry.digest)


def test_a_plan_that_is_too_large_is_made_and_not_shared(
    anna: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.registry.servers.shared_plans.MOST_BYTES", 10)
    assert not anna.plans.is_shared(anna.plans.make(ORDER).digest)


def person(new: Callable[[str], Studio], address: SharedAddress, name: str) -> Studio:
    """The command of a person at a computer of their own."""
    studio = new(name)
    studio.environment["LOGNAME"] = name
    login = address.database.replace("://owner@", f"://{name}@")
    blobs = ("--blobs", address.blobs, "--s3-endpoint", address.endpoint)
    studio.ok("registry", "use", login, *blobs)
    return studio


def test_a_deploy_waits_for_the_approver_at_another_computer(
    open_shared: Callable[..., Registry],
    new_studio: Callable[[str], Studio],
    postgres: PostgresServer,
    address: SharedAddress,
    database: str,
    digits: Path,
) -> None:
    """From two command lines, with a deployment that really serves."""
    open_shared("owner").labels.change("local", {"approval": "required"})
    postgres.sql(roles(), database)
    for name, role in (("anna", "operator"), ("ben", "approver")):
        postgres.add_role(name, f"edgewright_{role}")
    anna, ben = (person(new_studio, address, name) for name in ("anna", "ben"))
    words = [str(STUDIO), "deploy", str(digits / "digits.onnx"), "--target", "local"]
    with subprocess.Popen(
        words,
        env=anna.environment,
        cwd=anna.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as deploy:
        try:
            until(lambda: len(ben.ok("plan", "list")["plans"]) == 1, "the plan is shared", 120)
            [found] = ben.ok("plan", "list")["plans"]
            assert (found["state"], found["is_foreign"]) == ("waiting", True)
            code, said = approve(found["digest"], ben.environment)
            assert code == 0, said
            assert "Another studio of the shared registry made it" in said
            out, errors = deploy.communicate(timeout=120)
        finally:
            deploy.kill()
    try:
        assert deploy.returncode == 0, errors
        assert "Approvers of the shared registry see it: studio plan list" in errors
        assert "Approved by ben." in errors
        assert "serving on local" in out
        assert ben.ok("plan", "list")["plans"] == []
        rows = postgres.sql(
            "SELECT role, subject FROM changes WHERE subject LIKE 'plan%'", database
        )
        assert rows == [("anna", "plans"), ("ben", "plan_answers"), ("anna", "plans")]
    finally:
        open_shared("owner").labels.change("local", {"approval": ""})
        anna.ok("undeploy", "--target", "local", "--purge")
