"""The text of a prompt as a model gets it."""

from __future__ import annotations

from typing import Tuple

from ..text_model import TextModelFacts
from .request import ScoredPrompt, ScoreError


def prompt_text(prompt: ScoredPrompt, facts: TextModelFacts, now: str) -> Tuple[str, bool]:
    """Return a prompt's text, and whether names of special tokens in it are such tokens.

    Raises:
        ScoreError: when the prompt is a conversation, and the model has no chat template.
    """
    if not prompt.messages:
        return prompt.text, False
    if not facts.template:
        raise ScoreError("The model has no chat template, which {} needs.".format(prompt.id))
    if "<|im_start|>" not in facts.template:
        raise ScoreError("The chat template of the model is not known.")
    parts = ["<|im_start|>{}\n{}<|im_end|>\n".format(*one) for one in prompt.messages]
    return "".join(parts) + "<|im_start|>assistant\n", True
