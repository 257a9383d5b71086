"""Events as webhooks in the form of CloudEvents 1.0: messages, outbox, and delivery."""
