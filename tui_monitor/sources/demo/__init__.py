"""What the demo replays: an excerpt of public traces, and what they leave open made up the same each time."""
