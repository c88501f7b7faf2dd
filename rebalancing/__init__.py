"""ACTION: closes the gap between fact and intent, one run at a time."""
