"""How fast models are, and how much room they need."""
