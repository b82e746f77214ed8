"""One thin file a verb group; each names `register`, and is found by being here."""
