"""Where a callback may go: the public internet over https, and what the settings name; nowhere else, by no trick."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import SettingsError
from core.settings import settings
from intake import callback
from intake.callback import ForbiddenAddress, WrongAddress, allowed, post_json, require_address
from intake.delivery import NotDelivered
from tests.intake.hook import Hook, hooked


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as found:
        yield found


@pytest.fixture
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_WEBHOOK_NETWORKS", "127.0.0.0/8")
    settings.cache_clear()


@pytest.mark.parametrize(
    "url",
    [
        "http://school.example/",
        "ftp://school.example/",
        "//school.example/",
        "https://",
        "https://user:geheim@school.example/",
        "https://school.example/#deel",
        "https://school.example:0/",
        "https://school.example:99999/",
        "https://school.example/a b",
        "https://school.example/\r\nX-Kop: 1",
        "https://schóól.example/",
        "https://[::1",
        "https://school.example/" + "x" * 500,
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_for_a_callback_is_refused_when_it_is_set(url: str) -> None:
    with pytest.raises(WrongAddress):
        require_address(url)


def test_an_address_is_kept_as_it_was_given() -> None:
    assert require_address(" https://school.example:8443/in?x=1 ") == "https://school.example:8443/in?x=1"


INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # the metadata of a cloud
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_allowed(address: str) -> None:
    assert not allowed(ipaddress.ip_address(address), secure=True)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_the_public_internet_is_allowed_over_https_only(address: str) -> None:
    assert allowed(ipaddress.ip_address(address), secure=True)
    assert not allowed(ipaddress.ip_address(address), secure=False)


def test_the_settings_name_what_more_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_WEBHOOK_NETWORKS", "10.20.0.0/16, fd00::/8")
    settings.cache_clear()
    for address, good in (("10.20.3.4", True), ("10.21.3.4", False), ("fd00::1", True), ("127.0.0.1", False)):
        assert allowed(ipaddress.ip_address(address), secure=True) is good
    assert not allowed(ipaddress.ip_address("10.20.3.4"), secure=False), "in plain only to this machine"
    monkeypatch.setenv("VEILIG_WEBHOOK_NETWORKS", "10.20.0.0/99")
    settings.cache_clear()
    with pytest.raises(SettingsError, match="VEILIG_WEBHOOK_NETWORKS"):
        settings()


def resolves(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """The name server says this; gives the list of what was connected to."""
    reached: list[str] = []

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(callback.socket, "getaddrinfo", lookup)
    monkeypatch.setattr(callback.socket, "create_connection", connect)
    return reached


def test_a_name_that_leads_inside_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    for addresses in (("10.0.0.1",), ("93.184.216.34", "127.0.0.1")):
        reached = resolves(monkeypatch, *addresses)
        with pytest.raises(ForbiddenAddress):
            post_json("https://school.example/in", b"{}", {})
        assert reached == []


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = resolves(monkeypatch, "93.184.216.34")
    with pytest.raises(NotDelivered):
        post_json("https://school.example/in", b"{}", {})
    assert reached == ["93.184.216.34"]


def test_this_machine_is_reached_only_where_the_settings_say_so(hook: Hook) -> None:
    for url in (hook.url, hook.url.replace("http:", "https:"), "https://localhost/"):
        with pytest.raises((WrongAddress, ForbiddenAddress)):
            post_json(url, b"{}", {})
    assert hook.bodies == []


def test_a_redirect_is_not_followed(hook: Hook, own_machine: None) -> None:
    hook.statuses = [302]
    assert post_json(hook.url, b"{}", {}) == 302
    assert len(hook.bodies) == 1


def test_over_https_the_other_side_must_prove_its_name(hook: Hook, own_machine: None) -> None:
    with pytest.raises(NotDelivered):
        post_json(hook.url.replace("http:", "https:"), b"{}", {})
    assert hook.bodies == []
