"""What goes in and out over HTTP. Requests refuse unknown fields; so do answers, except where a card may grow."""
