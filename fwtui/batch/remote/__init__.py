"""Attaching to a running batch over a socket: server, client and protocol."""
