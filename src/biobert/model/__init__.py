"""Token ids to vectors to outputs, in torch."""
