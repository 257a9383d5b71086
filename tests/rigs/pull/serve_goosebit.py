"""Runs goosebit on one address, in its own environment: tables first, then uvicorn."""

import asyncio
import sys
from pathlib import Path

import goosebit
import uvicorn
from aerich import Command
from goosebit.db.config import TORTOISE_CONF
from goosebit.settings import PWD_CXT
from goosebit.users import create_initial_user
from tortoise import Tortoise


async def prepare(user: str, password: str) -> None:
    """Make the tables and the one user."""
    location = str(Path(goosebit.__file__).parent / "db" / "migrations")
    command = Command(tortoise_config=TORTOISE_CONF, location=location)
    await command.init()
    await command.upgrade(run_in_transaction=True)
    await Tortoise.init(config=TORTOISE_CONF)
    await create_initial_user(user, PWD_CXT.hash(password))
    await Tortoise.close_connections()


if __name__ == "__main__":
    host, port, user, password, *tls = sys.argv[1:]
    asyncio.run(prepare(user, password))
    more = {"ssl_certfile": tls[0], "ssl_keyfile": tls[1]} if tls else {}
    uvicorn.run(goosebit.app, host=host, port=int(port), log_level="warning", **more)
