"""Where settings come from: locations, load, save."""
