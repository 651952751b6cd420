"""Searching the register of persons without telling whether somebody is known to who may not know it (D3)."""
