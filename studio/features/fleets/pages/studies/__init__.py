"""The Boards view of the Profile page: one study over many boards."""
