"""What reaches the terminal: only what differs from what it shows already."""
