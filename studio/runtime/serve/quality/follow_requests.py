"""Watch for the observations that a deploy turns on and off while a server runs."""

from __future__ import annotations

import asyncio

from ..decisions.switch import follow_decisions
from ..engine.repository import Repository
from .shadow import follow
from .uncertain_samples import follow_samples

EVERY_S = 5.0


async def keep_following(repository: Repository, every_s: float = EVERY_S) -> None:
    """Look for notes on the disk, until the server ends."""
    while True:
        await asyncio.sleep(every_s)
        for model in repository.all():
            follow_samples(model)
            follow(model)
            if follow_decisions(model):
                repository.replaced()  # known requests are not answered by the fast path
