"""An agent that obeys every text it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.integration.doors.conftest import clients as clients  # fixtures of these tests too
from tests.integration.doors.conftest import desk as desk
from tests.rigs.agents.sessions import Agent, agent


@pytest.fixture
def obedient(clients: Path, desk: Studio) -> Iterator[Agent]:
    """An agent with a server of its own."""
    with agent(clients, desk.environment, desk.home) as running:
        yield running
