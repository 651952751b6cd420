"""Who is asking, and what he may do: sessions, the rights matrix, the region scope and the guard on every screen."""
