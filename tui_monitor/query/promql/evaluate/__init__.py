"""From a tree to values: vectorised over series and steps."""
