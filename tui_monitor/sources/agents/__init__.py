"""Logs that coding agents keep on this machine: found, tailed and read, never written to."""
