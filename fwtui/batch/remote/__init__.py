"""A batch on the far side of a socket: whoever runs it serves it, whoever attaches sees it."""
