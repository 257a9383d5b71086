"""Publication of a server's state to a broker: heartbeats with counts that are never doubled."""
