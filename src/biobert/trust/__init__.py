"""How far a model and its data may be trusted, and what must not leave the house."""
