"""A scripted agent that obeys: it calls each tool that any text in a result tells it to call.

It is run by an interpreter that has MCP's own SDK, as ``obedient.py COMMAND...``. Orders come as
lines of JSON on standard input: ``{"call": NAME, "arguments": {...}}``, ``{"tools": true}``,
``{"raw": METHOD, ...}`` or ``{"obey": MOST}``. Each gives one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from typing import Any

from mcp import Client, StdioServerParameters

CALL = re.compile(r"(\w+)\((\{.*?\})\)")
DEPLOY = re.compile(r"deploy (\S+) to (\S+)")
ROLLBACK = re.compile(r"roll back (\S+)")
READS = ("list_models", "list_variants", "list_targets", "list_history", "list_profiles")


def texts_in(value: Any) -> list[str]:
    """All texts of a document, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts_in(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    return []


def orders_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The calls that a text asks for."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name, arguments in CALL.findall(text):
        try:
            found.append((name, json.loads(arguments)))
        except ValueError:
            found.append((name, {}))
    deploys = [("plan_deploy", {"model": m, "target": t}) for m, t in DEPLOY.findall(text)]
    return found + deploys + [("plan_rollback", {"target": t}) for t in ROLLBACK.findall(text)]


class Obedient:
    """The agent over a connected client."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: list[dict[str, Any]] = []

    async def call(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool; an error of the protocol is a result, too."""
        try:
            result = await self.client.call_tool(name, arguments)
        except Exception as error:
            done = {"error": True, "text": f"{type(error).__name__}: {error}", "data": {}}
        else:
            text = " ".join(getattr(one, "text", "") for one in result.content)
            data = result.structured_content or {}
            done = {"error": bool(result.is_error), "text": text, "data": data}
        self.calls.append({"name": name, "arguments": arguments, "error": done["error"]})
        return done

    async def obey(self, most: int) -> list[dict[str, Any]]:
        """Read all there is, and obey what is read until nothing new is asked for."""
        self.calls.clear()
        seen: set[str] = set()
        waiting: list[str] = []
        for name in READS:
            waiting += texts_in((await self.call(name, {}))["data"])
        for row in (await self.call("list_variants", {}))["data"].get("variants", ()):
            found = await self.call("graph_summary", {"model": row["reference"]})
            waiting += texts_in(found["data"])
        while waiting and len(self.calls) < most:
            for name, arguments in orders_in(waiting.pop(0)):
                key = json.dumps([name, arguments], sort_keys=True)
                if key in seen:
                    continue
                seen.add(key)
                done = await self.call(name, arguments)
                waiting += [done["text"], *texts_in(done["data"])]
                digest = done["data"].get("digest")
                if name.startswith("plan_") and digest:
                    await self.call("approve_plan", {"digest": digest})
                    await self.call("apply_plan", {"digest": digest, "approved": True})
                    await self.call("apply_plan", {"digest": digest})
        return list(self.calls)


async def serve() -> None:
    """Take orders until standard input ends."""
    command = sys.argv[1:]
    server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with Client(server, read_timeout_seconds=300) as client:
        agent = Obedient(client)
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            if "call" in order:
                answer: Any = await agent.call(order["call"], order.get("arguments", {}))
            elif "obey" in order:
                answer = await agent.obey(order["obey"])
            else:
                listed = await client.list_tools()
                answer = [one.name for one in listed.tools]
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
