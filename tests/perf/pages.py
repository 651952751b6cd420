"""How long until the first byte of the main pages of a running demo, and what each weighs with all that it loads.

`./run`, and then `.venv/bin/python -m tests.perf.pages`. By hand: it says something on a quiet machine only.
"""

from __future__ import annotations

import argparse
import re
from time import perf_counter

import httpx

from tests.perf.overview import percentiles

PATHS = [
    "/",
    "/wachtrij?team=alle",
    "/overzicht",
    "/gesprekken",
    "/adviezen",
    "/koppelvoorstellen",
    "/zoeken",
    "/voor-mij",
    "/beheer",
    "/regels-en-teksten",
    "/kwaliteit",
    "/contact",
    "/melden-beroepskracht",
]
LOADED = re.compile(r'(?:href|src)="(/static/[^"]+|/contact/[^"]+\.(?:css|js))"')


def signed_in(address: str) -> httpx.Client:
    """As the lead of the demo. The cookie is for https; on this machine it is sent by hand."""
    client = httpx.Client(base_url=address, headers={"origin": address, "sec-fetch-site": "same-origin"}, timeout=30)
    answer = client.post("/inloggen", data={"gebruikersnaam": "teun", "wachtwoord": "demo-teun"})
    if answer.status_code != 303:
        raise SystemExit(f"Signing in as teun failed: {answer.status_code}")
    client.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    client.cookies.clear()
    return client


def first_byte(client: httpx.Client, path: str) -> float:
    """Milliseconds until the answer begins."""
    begun = perf_counter()
    with client.stream("GET", path) as answer:
        next(answer.iter_raw(1))
    return (perf_counter() - begun) * 1000


def sent(client: httpx.Client, path: str) -> int:
    """Bytes of an answer as they went over the line."""
    with client.stream("GET", path) as answer:
        answer.raise_for_status()
        return sum(map(len, answer.iter_raw()))


def weight(client: httpx.Client, path: str) -> int:
    """Bytes of a page with all that it loads, as they went over the line."""
    text = client.get(path).text
    return sent(client, path) + sum(sent(client, other) for other in set(LOADED.findall(text)))


def shown(name: str, taken: list[float]) -> str:
    return f"{name:24} {percentiles(sorted(taken))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8080")
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    client = signed_in(asked.address)
    queue = client.get("/wachtrij?team=alle").text
    found = [
        *dict.fromkeys(re.findall(r'href="(/meldingen/[0-9a-f-]{36})["/]', queue)),
        *dict.fromkeys(re.findall(r'href="(/casussen/[0-9a-f-]{36})"', queue)),
    ]
    paths = PATHS + [path for path in found if "/meldingen/" in path][:3] + found[-2:]
    everything: list[float] = []
    for path in paths:
        client.get(path).raise_for_status()
        taken = [first_byte(client, path) for _ in range(asked.rounds)]
        everything += taken
        weighs = f"{weight(client, path) / 1000:5.0f} kB"
        print(f"{shown(re.sub(r'[0-9a-f-]{36}', '…', path), taken)}  {weighs}")
    print(shown("all", everything))


if __name__ == "__main__":
    main()
