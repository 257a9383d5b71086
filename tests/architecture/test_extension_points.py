"""What a plugin can offer is called by the studio."""

from __future__ import annotations

import pytest

from tests.architecture.checkout import made_up, product
from tests.architecture.counts import extension_points, named_extension_points

API = made_up(
    "studio/api/plugin.py", "class Extension(Enum):\n    CHECK = 'checks'\n    PANEL = 'p'"
)


def test_every_extension_point_is_named_where_it_may_be_called() -> None:
    modules = product()
    points = extension_points(modules)
    assert len(points) >= 12
    assert points - named_extension_points(modules) == set()


def test_the_points_are_read_off_their_enumeration() -> None:
    another = made_up("studio/models/plugin.py", "class Extension(Enum):\n    OTHER = 1")
    assert extension_points([API, another]) == {"CHECK", "PANEL"}


@pytest.mark.parametrize(
    ("path", "called"),
    [
        ("studio/packages/work.py", True),
        ("studio/plugin_host/host.py", True),
        ("studio/plugin_host/check/conformance.py", False),
        ("studio/api/testing.py", False),
        ("plugins/studio_onnx/plugin.py", False),
    ],
)
def test_whoever_only_offers_or_tries_a_point_does_not_call_it(path: str, called: bool) -> None:
    caller = made_up(path, "host.find(Extension.CHECK)")
    assert named_extension_points([API, caller]) == ({"CHECK"} if called else set())
