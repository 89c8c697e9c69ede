"""The functions: one table, and what each computes."""
