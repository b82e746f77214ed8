"""Token ids to outputs with an exported model; no torch."""
