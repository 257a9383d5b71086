"""Conversations with a language model that differ from each other, short ones and long ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

_WISHES = (
    *("Describe {} in one sentence.", "What is {} good for?", "Where would you look for {}?"),
    *("Write a short poem about {}.", "Give three facts about {}.", "Why do people like {}?"),
    *("Explain {} to a child.", "What is the opposite of {}?", "Name something like {}."),
    *("Write a headline about {}.", "How much does {} cost?", "Is {} dangerous?"),
)
_THINGS = (
    *("a river", "a bicycle", "the moon", "bread", "a lighthouse", "winter", "a violin", "coffee"),
    *("a spider", "glass", "a harbour", "honey", "a train", "the desert", "chess", "a candle"),
    *("an onion", "a bridge", "cotton", "a whale", "salt", "a library", "thunder", "a shoe"),
    *("paper", "a garden", "iron", "a clock", "the sea", "a map", "wool", "a kite", "rice"),
    *("a castle", "a drum", "snow", "an island", "a mirror", "tea", "a volcano"),
)
_LONG = 1200
"""Words in front of a long question: more than 1,024 tokens, fewer than 2,048."""


def conversations(seed: int, long: float = 0.2) -> Iterator[list[dict[str, str]]]:
    """Yield conversations that differ from each other, in an order of the seed.

    Args:
        long: Share of them with a long text in front of the question.
    """
    draws = random.Random(seed)
    every = [wish.format(thing) for wish in _WISHES for thing in _THINGS]
    draws.shuffle(every)
    for question in every:
        messages = [{"role": "user", "content": question}]
        if draws.random() < 0.3:
            messages.insert(0, {"role": "system", "content": "Be brief and friendly."})
        if draws.random() < long:
            words = " ".join(draws.choice(_THINGS) for _ in range(_LONG // 2))
            messages[-1]["content"] = f"Read this list: {words}. {question}"
        yield messages
