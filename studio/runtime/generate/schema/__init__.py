"""JSON schemas as rules for the bytes of an answer."""
