"""Text to token ids and back, with character offsets kept exactly."""
