"""Plans in a shared registry: what studios plan, and what approvers answer."""

from __future__ import annotations

from collections.abc import Iterable

from studio.api import StudioError
from studio.lazy_dataclass import dataclass
from studio.registry.servers.postgres import PostgresDatabase

MOST_BYTES = 4 << 20
"""Size of a plan that is shared."""

_MOST_READ = 16 << 20
"""Bytes of plans that are read at a time: many large ones of one operator fill no memory."""

_MOST_ANSWER = 256 << 10
"""Size of an answer that is read; a signature has a kilobyte."""

_MOST = 200
"""Number of plans that are read."""


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """The text of a plan, as a studio has shared it.

    Attributes:
        role: The database role that shared it, recorded by the server.
    """

    digest: str
    text: str
    role: str


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """The text of an approval or a rejection.

    Attributes:
        role: The database role that answered, recorded by the server.
    """

    plan: str
    text: str
    role: str


class SharedPlans:
    """The tables of plans in a shared registry; each method raises StudioError without a server."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    @property
    def role(self) -> str:
        """The database role of this studio."""
        return self._db.role

    def add(self, digest: str, text: str, expires: float) -> None:
        """Share a plan.

        Raises:
            StudioError: when it is too large, or the role may not.
        """
        content = _content(text)
        with self._db.write() as session:
            session.execute(
                "INSERT INTO plans (digest, content, expires) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (digest, content, int(expires)),
            )

    def one(self, digest: str) -> SharedPlan | None:
        """Return a plan that still waits for something; None without it."""
        return next(iter(self._plans("digest = ?", (digest,))), None)

    def open(self) -> list[SharedPlan]:
        """Return the plans that still wait for something, those that expire last first."""
        # By the clock of the server, so that a wrong one of an approver hides none.
        return self._plans("expires > extract(epoch FROM clock_timestamp())", ())

    def _plans(self, where: str, values: tuple[str, ...]) -> list[SharedPlan]:
        found = self._db.all(
            "SELECT digest, content, role FROM (SELECT digest, content, role, expires,"
            " sum(length(content)) OVER (ORDER BY expires DESC, digest) AS read"
            f" FROM plans WHERE ended IS NULL AND {where} AND length(content) <= {MOST_BYTES})"
            f" AS listed WHERE read <= {_MOST_READ} ORDER BY expires DESC LIMIT {_MOST}",
            values,
        )
        return [SharedPlan(str(row[0]), _text(row[1]), str(row[2])) for row in found]

    def role_of(self, digest: str) -> str:
        """Return the role that shared a plan; empty for an unknown one."""
        found = self._db.all("SELECT role FROM plans WHERE digest = ?", (digest,))
        return str(found[0][0]) if found else ""

    def answer(self, digest: str, text: str) -> None:
        """Answer a plan.

        Raises:
            StudioError: when the role may not.
        """
        content = _content(text)
        with self._db.write() as session:
            session.execute(
                "INSERT INTO plan_answers (plan, content) VALUES (?, ?)", (digest, content)
            )

    def answers(self, digests: Iterable[str]) -> dict[str, PlanAnswer]:
        """Return the last answer to each of some plans."""
        wanted = tuple(digests)
        if not wanted:
            return {}
        signs = ", ".join("?" * len(wanted))
        found = self._db.all(
            "SELECT DISTINCT ON (plan) plan, content, role FROM plan_answers"
            f" WHERE plan IN ({signs}) AND length(content) <= {_MOST_ANSWER}"
            " ORDER BY plan, id DESC",
            wanted,
        )
        return {str(row[0]): PlanAnswer(str(row[0]), _text(row[1]), str(row[2])) for row in found}

    def end(self, digest: str) -> None:
        """Take a plan that was carried out or rejected off the lists."""
        with self._db.write() as session:
            session.execute(
                "UPDATE plans SET ended = ? WHERE digest = ? AND ended IS NULL",
                (self._db.now(), digest),
            )


def _content(text: str) -> bytes:
    content = text.encode()
    if len(content) > MOST_BYTES:
        raise StudioError("The plan is too large for the shared registry.")
    return content


def _text(content: bytes) -> str:
    return bytes(content).decode("utf-8", "replace")
