"""The entry points that are fuzzed, by what they read."""
