"""Language models: chats with them."""

from studio.feature_host import Feature

FEATURE = Feature(
    commands={"chat": "chat with a language model or with the one on a target"},
    adds={
        "parts of try": ("studio.features.language.pages.chat.transcript",),
        "steps of try": ("chat", "chat-served"),
        "views of try": ("pages.chat.view:ChatView",),
    },
)
