"""Sinks of apps: where events go, and the outbox that keeps them until they are delivered."""
