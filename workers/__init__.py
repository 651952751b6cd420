"""Background work and its processes: broker, actors, relay, clock, launcher, command line."""
