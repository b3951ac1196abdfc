"""Widgets that draw the batch's picture, line by line."""
