"""Spend: by period and dimension, projected and held against budgets, in terms of queries."""
