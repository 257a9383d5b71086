"""A bare container has no name for its user; nothing fails for it."""

from __future__ import annotations

import getpass

import pytest

from studio.api import UsageError
from studio.settings.user import owner, user_name
from studio_ssh.address import Address


@pytest.fixture(params=[OSError, KeyError])
def nameless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python raises: OSError since 3.13, KeyError before."""

    def fail() -> str:
        raise request.param("No username set in the environment")

    monkeypatch.setattr(getpass, "getuser", fail)


def test_a_user_without_a_name(nameless: None) -> None:
    assert user_name() == ""
    assert owner().startswith("unknown@")


def test_a_board_without_a_user_says_what_to_write(nameless: None) -> None:
    assert Address.parse("ssh://ann@board").user == "ann"
    with pytest.raises(UsageError, match="has no user") as told:
        Address.parse("ssh://board")
    assert told.value.hint == "Write ssh://user@host:port."


def test_a_user_has_the_name_of_the_system() -> None:
    assert user_name() == getpass.getuser()
    assert owner().partition("@")[0] == getpass.getuser()
