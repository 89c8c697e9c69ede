"""The nouns as plain data. Nothing here reads a clock, a file or a socket."""
