"""Gold and predicted become numbers."""
