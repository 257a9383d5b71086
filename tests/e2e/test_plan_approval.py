"""``studio plan approve --key`` from a script, as the documentation has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.settings import Paths
from tests.e2e.conftest import Studio
from tests.rigs.plan_approvers import allow, approver_key


@pytest.mark.needs("ssh-keygen")
def test_a_script_approves_with_the_whole_digest_and_a_key(studio: Studio, tmp_path: Path) -> None:
    key = approver_key(tmp_path)
    allow(Paths.of(studio.environment), key, "bob@desk")
    digest = studio.ok("plan", "make", "monitor-silence", "target=*", "minutes=5")["digest"]
    for words in ((digest[:12], "--key", key), (digest,)):
        ended = studio.run("plan", "approve", *words)
        assert ended.code == 4
        assert f"studio plan approve {digest} --key FILE" in ended.err
    assert studio.ok("plan", "approve", digest, "--key", key)["by"] == "bob@desk"
    studio.ok("plan", "apply", digest)
