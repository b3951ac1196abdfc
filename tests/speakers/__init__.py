"""Telling speakers apart, with two networks of a few KB in place of the real models."""
