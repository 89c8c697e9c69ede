"""The write path: every record is cleaned, normalised, checked, priced and committed here."""
