"""The ways in beside the StUF feed; each fills the same internal message."""
