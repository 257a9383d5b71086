"""The migrations of a shared registry, whose versions are not those of a local file."""

from __future__ import annotations

from studio.registry.schema import MIGRATIONS
from studio.registry.servers.dialect import tables

PLAN_TABLES = {"plans": "digest", "plan_answers": "plan"}
"""The tables of plans, which a server alone has, with the column that names a row."""

# Bytes, because a path of the store in a text is another one in each studio: plans have a digest.
_PLANS = (
    'CREATE TABLE IF NOT EXISTS plans (digest TEXT COLLATE "C" PRIMARY KEY, content BYTEA NOT NULL,'
    " expires BIGINT NOT NULL, ended TEXT, role TEXT NOT NULL DEFAULT session_user)",
    "CREATE INDEX IF NOT EXISTS plans_open ON plans (expires) WHERE ended IS NULL",
    "CREATE TABLE IF NOT EXISTS plan_answers ("
    "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    ' plan TEXT COLLATE "C" NOT NULL REFERENCES plans(digest), content BYTEA NOT NULL,'
    " role TEXT NOT NULL DEFAULT session_user)",
    "CREATE INDEX IF NOT EXISTS plan_answers_plan ON plan_answers (plan)",
)
"""Plans of studios, and what approvers have answered. The server itself records both roles."""

STEPS = (*map(tables, MIGRATIONS[:6]), _PLANS, ())
"""The statements of each version. The eighth replaces the functions, as every migration does."""

SERVER_VERSION = len(STEPS)
