"""BioBERT: biomedical text mining from raw literature to knowledge."""

__version__ = "0.1.0"
