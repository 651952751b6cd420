"""What a browser may load on our pages (Content-Security-Policy level 3): our own style and pictures, forms to
ourselves, never a frame; a script only on a page that has one, and only the one with this answer's number.
"""

from __future__ import annotations

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)


def with_script(nonce: str) -> str:
    """The policy of a page with a script, which may ask this host and no other."""
    return f"{POLICY}; script-src 'nonce-{nonce}'; connect-src 'self'"
