"""One grammar, one engine: everything that shows a number asks here."""
