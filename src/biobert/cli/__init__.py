"""Commands: the only room that prints, reads the environment and picks the device."""
