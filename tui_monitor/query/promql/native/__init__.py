"""Arithmetic and estimates on native histograms."""
