"""Access logs as web servers write them: one request a line, `host ident user [time] "request" status`."""
