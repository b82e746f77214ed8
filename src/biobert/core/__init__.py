"""The words all rooms share: documents, tasks, shelves, settings, files."""
