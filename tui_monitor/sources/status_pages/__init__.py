"""What providers say about themselves on their public status pages."""
