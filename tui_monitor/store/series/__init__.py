"""Samples of series: a log of the newest ones, sealed into compressed chunks, and thinned out when old."""
