"""Who speaks when: voices in a signal, told apart by two small models. Runs in the engine child."""
