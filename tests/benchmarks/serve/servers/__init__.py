"""What each server of others runs, with its own interpreter: none of these is imported here."""
