"""The text of a prompt as a model gets it."""

from __future__ import annotations

from datetime import datetime
from typing import Tuple

from ..template import ChatTemplate, TemplateError
from ..text_model import TextModelFacts
from .request import ScoredPrompt, ScoreError


def prompt_text(prompt: ScoredPrompt, facts: TextModelFacts, now: str) -> Tuple[str, bool]:
    """Return a prompt's text, and whether names of special tokens in it are such tokens.

    The tokens in front of every text are not written, as they are added to all prompts alike.

    Args:
        now: Date for templates that write one, ``2026-01-31``; empty for today.

    Raises:
        ScoreError: when the prompt is a conversation, and the model has no chat template, or one
            that fails.
    """
    if not prompt.messages:
        return prompt.text, False
    if not facts.template:
        raise ScoreError("The model has no chat template, which {} needs.".format(prompt.id))
    day = datetime.strptime(now, "%Y-%m-%d") if now else datetime.now()
    try:
        template = ChatTemplate(facts.template, clock=lambda: day)
        messages = [dict(one._asdict()) for one in prompt.messages]
        return template.render(messages, variables={"bos_token": "", "eos_token": ""}), True
    except TemplateError as error:
        raise ScoreError("{} ({})".format(error, prompt.id)) from None
