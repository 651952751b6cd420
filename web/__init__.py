"""Screens for people and the API for machines."""
