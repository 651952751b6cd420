"""The error family: one sentence each. The docstring is the message people read, so it is plain Dutch."""

from __future__ import annotations


class VeiligError(Exception):
    """Er ging iets mis."""

    status = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)
        self.message = message or (self.__doc__ or "")


class SettingsError(VeiligError):
    """Een instelling klopt niet."""


class ReasonMissing(VeiligError):
    """Schrijf in een zin waarom u dit doet."""

    status = 400


class NotFound(VeiligError):
    """Dit bestaat niet, of u mag het niet zien."""

    status = 404


class NotAllowed(VeiligError):
    """U mag dit niet doen."""

    status = 403


class Conflict(VeiligError):
    """Dit is intussen veranderd of al gedaan."""

    status = 409


class Unavailable(VeiligError):
    """Even niet bereikbaar. Er is niets opgeslagen: stuur het straks opnieuw."""

    status = 503


class LeaseLost(VeiligError):
    """Een ander heeft dit werk overgenomen; het werk van deze werker is teruggedraaid."""

    status = 409
