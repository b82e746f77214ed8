"""A trained model becomes a smaller or faster one."""
