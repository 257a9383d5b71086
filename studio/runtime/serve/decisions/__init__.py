"""What a server answered, recorded beside its requests."""
