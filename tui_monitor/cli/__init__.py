"""The command line: one file per verb, and only the one that is asked for is loaded."""
