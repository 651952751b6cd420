"""The one command line, `veilig`. Exit codes: 0 done, 1 failed, 2 wrong use or a wrong setting.

The commands of one process are here; the others are named in `ELSEWHERE` and loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from threading import Event
from typing import IO, Any

import click
import dramatiq
import psycopg
import redis
import sqlalchemy.exc
import uvicorn

from core.database import (
    WORKER_STATEMENT_MS,
    act_as,
    allow_statements_of,
    close_pools,
    connection_options,
    database_url,
)
from core.documents import follow
from core.errors import SettingsError, VeiligError
from core.settings import Settings, settings
from workers.launcher import DRAIN_S, Launcher, Plan, require_free_port, standard
from workers.signals import Signals

ELSEWHERE = {
    "audit": "workers.audit_commands:audit",
    "demo": "workers.commands:demo",
    "documents": "workers.document_commands:documents",
    "import": "workers.commands:import_",
    "keys": "workers.keys:keys",
    "link-file": "workers.link_file:link_file",
    "reindex": "workers.reindex:reindex",
    "rights": "workers.rights_commands:rights",
    "rules": "workers.rule_commands:rules",
    "seal": "workers.seal:seal",
    "sender": "workers.commands:sender",
    "shield": "workers.shield:shield",
    "show": "workers.commands:show",
    "staff": "workers.staff_commands:staff",
    "team": "workers.team_commands:team",
    "verify": "workers.audit_commands:verify",
}


IDLE_LOOK_MS = 100
"""An idle worker looks at the broker this often; dramatiq's own second would be most of a report's wait."""


class Sentence(click.ClickException):
    """Expected trouble: one sentence on stderr, never a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Only the sentence."""
        click.echo(self.message, file=file, err=file is None)


class WrongUse(Sentence):
    """The same, for a setting or an argument that is wrong."""

    exit_code = 2


class Commands(click.Group):
    """Loads a command of another module when it is asked for, and turns expected trouble into a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, by name."""
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of this module, or of the module that `ELSEWHERE` names."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = ELSEWHERE[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        follow()  # after the import: help needs no database
        if not isinstance(command, click.Command):
            raise TypeError(f"{ELSEWHERE[cmd_name]} is no command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise WrongUse(error.message) from None
        except VeiligError as error:
            raise Sentence(error.message) from None
        except (psycopg.OperationalError, sqlalchemy.exc.OperationalError) as error:
            cause = getattr(error, "orig", error)
            raise Sentence(f"The database does not answer: {_first_line(cause)}") from None
        except redis.ConnectionError as error:
            raise Sentence(f"Redis does not answer: {_first_line(error)}") from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Veilig Thuis Radar: intake, deadlines and household linking for Veilig Thuis.

    Settings come from the environment (VEILIG_...); docs/operations.md lists them.
    """


@main.command()
@click.option("--no-demo", is_flag=True, help="Start without the demo region and its logins.")
def run(no_demo: bool) -> None:
    """Start everything on this machine: engines, web, worker and clock, until Ctrl-C.

    Uses VEILIG_DATABASE_URL and VEILIG_REDIS_URL when they are set, else engines of its own in VEILIG_DATA.
    """
    plan = Plan(
        folder=settings().data,
        host=settings().host,
        port=settings().port,
        metrics_port=settings().metrics_port,
        database_url=settings().database_url,
        redis_url=settings().redis_url,
        demo=_wants_demo(settings(), no_demo),
    )
    raise SystemExit(Launcher(standard(plan), click.echo).run())


@main.command()
@click.option("--processes", default=1, type=click.IntRange(1, 64), help="Web processes on this machine.")
def web(processes: int) -> None:
    """Serve the screens and the feeds on VEILIG_HOST and VEILIG_PORT."""
    database_url()
    require_free_port(settings().host, settings().port, "VEILIG_PORT")
    uvicorn.run(
        "web.app:serve",
        factory=True,
        host=settings().host,
        port=settings().port,
        workers=processes,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=1000,
        timeout_graceful_shutdown=int(DRAIN_S) - 5,
    )


@main.command()
def worker() -> None:
    """Do the background work: one process with VEILIG_WORKER_THREADS threads."""
    allow_statements_of(WORKER_STATEMENT_MS)
    act_as("worker")
    database_url()
    if not settings().redis_url:
        raise SettingsError("VEILIG_REDIS_URL is not set. `veilig run` starts the embedded one itself.")
    work(settings().worker_threads)


def work(threads: int) -> None:
    """Run the actors until SIGTERM or SIGINT; a task that runs may end (security.md R7)."""
    import_module("workers.actors")
    stop = Event()
    follow(stop=stop)
    broker = dramatiq.get_broker()
    with Signals() as signals:
        broker.emit_after("process_boot")
        team = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=IDLE_LOOK_MS)
        team.start()
        while not signals.stopping:
            signals.wait(60)
        team.stop(timeout=int((DRAIN_S - 5) * 1000))
        stop.set()
        broker.close()
        close_pools()


@main.command()
def clock() -> None:
    """Do what time asks: deadlines, lost leases, retention. One at work at a time, others stand by."""
    allow_statements_of(WORKER_STATEMENT_MS)
    act_as("worker")
    database_url()
    import_module("workers.clock").run()


@main.command()
def migrate() -> None:
    """Bring the database to this version. Safe to repeat.

    Refused, with nothing changed, when a region has rules in force that this version cannot read.
    """
    with psycopg.connect(database_url(), **connection_options()) as db:
        import_module("radar.quality.rulesets").require_fit(db)
        import_module("radar.documents").require_fit(db)
    import_module("core.migrations").upgrade(database_url())
    reindex = import_module("workers.reindex")
    with psycopg.connect(database_url(), **connection_options()) as db:
        db.execute("SET statement_timeout = 0")
        for region in reindex.needed(db):
            click.echo("The register is read anew for this version; this is done once.")
            for _ in reindex.again(db, region, import_module("radar.quality.rulesets").active(db, region)):
                pass
    click.echo("The database is at this version.")


def _wants_demo(options: Settings, no_demo: bool) -> bool:
    """Demo is the default on our own database only; VEILIG_DEMO decides when it is set."""
    if no_demo:
        return False
    return options.demo if "demo" in options.model_fields_set else not options.database_url


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


if __name__ == "__main__":
    main(prog_name="veilig")
