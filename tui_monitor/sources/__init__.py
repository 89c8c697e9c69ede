"""The ways in: sources that run, the event feed that is pushed, and files that are imported."""
