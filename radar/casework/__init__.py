"""What must happen: the case, its route, and who watches whether it is safe."""
