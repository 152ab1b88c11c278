"""Questions asked of a history, and histories to ask them of."""
