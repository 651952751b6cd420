"""Oversight of who looked at what: the log of one person, of one colleague, a breach, the review, the processing log.

It reads the audit trail of core/audit.py; the trail itself is written there and nowhere else.
"""
