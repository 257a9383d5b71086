"""What a client wants to be answered, before any model's template and tokenizer."""

from __future__ import annotations

import hashlib
import json
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .prompt_reader import PromptReader


class Conversation(NamedTuple):
    """A conversation, a text, or tokens.

    Attributes:
        messages: Of a chat, oldest first; None for a text or tokens to continue.
        tools: Descriptions that the template is given.
        variables: Further variables of the template.
        text: To continue.
        tokens: To continue, of the model's own vocabulary; they precede ``text``.
    """

    messages: Optional[Sequence[Mapping[str, object]]] = None
    tools: Sequence[Mapping[str, object]] = ()
    variables: Mapping[str, object] = {}
    text: str = ""
    tokens: Tuple[int, ...] = ()

    def read_by(self, reader: PromptReader) -> List[int]:
        """Return the tokens of the prompt as a model reads it.

        Raises:
            BadPrompt: when the model cannot answer it.
        """
        if self.messages is not None:
            text = reader.prompt_of(self.messages, self.tools or None, self.variables)
            return reader.tokens_of(text, special=True)
        if self.tokens:
            reader.check_length(len(self.tokens))
            return list(self.tokens)
        return reader.tokens_of(self.text)

    def words(self) -> str:
        """Return what the client wrote last, without templates and earlier messages."""
        if self.messages is None:
            return self.text
        users = [one.get("content") for one in self.messages if one.get("role") == "user"]
        return str(users[-1]) if users else ""

    def digest(self) -> bytes:
        """Return 16 bytes that are the same for the same content."""
        content = json.dumps(list(self), sort_keys=True, default=str).encode("utf-8", "replace")
        return hashlib.blake2b(content, digest_size=16).digest()
