"""Whether the radar is right: rule sets, their rehearsal and activation, and the blind sample that measures it."""
