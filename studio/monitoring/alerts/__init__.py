"""Alert rules and their evaluation, silences, and channels that notifications go through."""
