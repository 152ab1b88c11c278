"""Access logs as web servers write them, one request a line."""
