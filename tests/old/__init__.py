"""What version 0.1 wrote is read by today's program."""
