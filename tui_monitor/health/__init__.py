"""How providers, this host and the collector are doing, in terms of queries."""
