"""Language models: chats with them."""
