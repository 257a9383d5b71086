"""The Profile page: settings, verdicts, history, export."""
