"""The failure of guard rules that cannot be used."""

from __future__ import annotations

from typing import Tuple, Union


class GuardError(Exception):
    """Rules that cannot be used, in one sentence.

    Attributes:
        place: Keys and positions that lead to the mistake, as ``("rules", 2, "regex")``.
    """

    def __init__(self, sentence: str, *place: Union[str, int]) -> None:
        super().__init__(sentence)
        self.place: Tuple[Union[str, int], ...] = place
