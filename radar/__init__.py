"""What it means and what must happen: linking, households, cases, deadlines, routing."""
