"""Free questions to providers that tell whether they can be reached."""
