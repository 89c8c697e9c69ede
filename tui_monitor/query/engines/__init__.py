"""Engines that answer from elsewhere."""
