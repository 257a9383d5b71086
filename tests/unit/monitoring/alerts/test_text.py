"""Alert files changed by the window: comments, order and what it does not know stay."""

from __future__ import annotations

import tomllib

import pytest

from studio.api import UsageError
from studio.monitoring.alerts.rules import alerts_of
from studio.monitoring.alerts.text import CHANNELS, RULES, remove, set_table

TEXT = """# Of plant 3; ask Ann before you change it.

# Slow is what the line cannot wait for.
[[rules]]
name = "slow # really"  # a name with a sign
metric = "latency_ms.p99"   # milliseconds
above = 40   # the line moves every 50 ms
targets = [
    "nano",  # at the press
    "pi",
]

# Mails go to the shift.
[[channels]]
kind = "email"
host = "mail.example.org"
to = ["ann@example.org"]

[[rules]]
metric = "memory_mb"
above = 900
# The end.
"""


def test_one_value_is_changed_and_all_comments_stay() -> None:
    rule = tomllib.loads(TEXT)["rules"][0]
    changed = set_table(TEXT, RULES, 0, {**rule, "above": 55, "level": "critical"})
    expected = TEXT.replace("above = 40 ", "above = 55 ").replace(
        '    "pi",\n]\n', '    "pi",\n]\nlevel = "critical"\n'
    )
    assert changed == expected
    assert set_table(TEXT, RULES, 0, rule) == TEXT, "what is the same is not written again"


def test_a_value_of_several_lines_is_replaced_and_a_key_removed() -> None:
    rule = dict(tomllib.loads(TEXT)["rules"][0])
    rule["targets"] = ["nano"]
    del rule["name"]
    changed = set_table(TEXT, RULES, 0, rule)
    assert tomllib.loads(changed)["rules"][0] == rule
    assert changed.count("#") == TEXT.count("#") - 3  # of the entries that are gone
    assert "# Mails go to the shift.\n[[channels]]" in changed


def test_tables_are_added_behind_and_removed_with_their_comment() -> None:
    added = set_table(TEXT, CHANNELS, 1, {"kind": "webhook", "url": "https://x/#y"})
    assert added.startswith(TEXT)
    assert [c["kind"] for c in tomllib.loads(added)["channels"]] == ["email", "webhook"]
    without = remove(TEXT, CHANNELS, 0)
    assert "shift" not in without
    assert "press" in without
    assert "channels" not in tomllib.loads(without)
    alone = set_table("", RULES, 0, {"metric": "accuracy", "below": 0.9})
    assert alerts_of(tomllib.loads(alone)).rules[0].below == 0.9
    assert remove(alone, RULES, 0) == ""


def test_every_table_removed_and_put_back_says_the_same() -> None:
    text = TEXT
    for kind in (RULES, CHANNELS):
        while tables := tomllib.loads(text).get(kind):
            text = remove(text, kind, 0)
            assert len(tomllib.loads(text).get(kind, [])) == len(tables) - 1
    for kind in (RULES, CHANNELS):
        for place, table in enumerate(tomllib.loads(TEXT)[kind]):
            text = set_table(text, kind, place, table)
    assert tomllib.loads(text) == tomllib.loads(TEXT)
    assert text.startswith("# Of plant 3")


@pytest.mark.parametrize("text", ['rules = [{metric = "memory_mb", above = 1}]\n'])
def test_what_is_laid_out_otherwise_is_left_alone(text: str) -> None:
    with pytest.raises(UsageError, match="otherwise than as"):
        set_table(text, RULES, 0, {"metric": "memory_mb", "above": 2})
    with pytest.raises(UsageError, match="otherwise than as"):
        remove(text, RULES, 0)
