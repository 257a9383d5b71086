"""Lines about what brings releases to a board."""

from __future__ import annotations

from studio.deployment.pull.results import PullResult
from studio.deployment.pull.texts import lines


def test_a_board_with_mender_gets_the_command_of_its_module() -> None:
    module = "/srv/a b/pull/mender/edgewright"
    (line,) = lines(PullResult("roof", client="mender", module=module))
    assert line.startswith("Mender brings releases to roof.")
    assert line.endswith("ln -s '/srv/a b/pull/mender/edgewright' /usr/share/mender/modules/v3/")


def test_a_board_without_a_client_has_none() -> None:
    assert lines(PullResult("roof")) == ["roof has no pull client."]
