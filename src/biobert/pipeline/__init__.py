"""Text to annotated documents."""
