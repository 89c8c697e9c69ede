"""What a call costs: price lists, the matching of names, and the arithmetic of one call."""
