"""A task, a model and documents become a trained model."""
