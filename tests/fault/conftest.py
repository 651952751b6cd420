"""One stack for all fault tests; after each of them everything is healed, all work done and every rule verified."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault.stack import Stack


@pytest.fixture(scope="package")
def shared_stack() -> Iterator[Stack]:
    """With a durable database (fsync on), unlike that of the other tests; gone before the next tests begin."""
    with tempfile.TemporaryDirectory(prefix="veilig-fault-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        stack = Stack(Path(name))
        try:
            stack.set_up()
            yield stack
        finally:
            stack.tear_down()


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The stack at work; afterwards it has to heal, finish its work and hold every rule."""
    shared_stack.heal()
    yield shared_stack
    shared_stack.heal()
    shared_stack.wait_until_done(60)
    assert "All rules hold." in shared_stack.veilig("verify")
