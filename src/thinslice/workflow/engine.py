"""Adapter to Snakemake: the only code, with ``recovery/``, that uses its undocumented parts.

Each function takes Snakemake's ``workflow``, the object that a Snakefile sees.
tests/workflow/test_engine_contract.py holds every use to the installed version; ``TESTED`` is that
version, below which the Snakefile refuses to run.
"""

import atexit
import contextlib
import gc
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any

import snakemake.common
import snakemake.rules
from snakemake.exceptions import WorkflowError
from snakemake.jobs import Job, format_files
from snakemake.logging import DefaultFormatter, logger
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_storage_plugins.io import WILDCARD_REGEX

from thinslice.errors import refused
from thinslice.workflow import schema_errors
from thinslice.workflow.recovery.snakemake_state import SnakemakeState

TESTED = "9.27.1"
STATE = Path(".snakemake")
ONE_THREAD = "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1"
REASONS = {  # of a dry run, with all their files
    "Missing output files": "missing",
    "Input files updated by another job": "its inputs are made anew",
}
LONGEST_REASON = 240


def tune_gc() -> None:
    """Let Python look for cycles rarely, and not at exit.

    Planning makes millions of objects that live to the end of the run, and every collection visits
    all of them: without this, a plan of 6,306 jobs takes 1.4 times as long.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


def remember_arguments() -> None:
    """Let Snakemake look up the arguments of each function of a rule once, not for every job.

    It inspects a signature three times at every call: a sixth of the time of a plan. What it gets
    is what it would find itself.
    """
    look_up = snakemake.common.get_function_params
    known: dict[tuple[FunctionType, bool], Any] = {}

    def arguments(function: Any) -> Any:
        plain = getattr(function, "__func__", function)  # one method of many resources
        if not isinstance(plain, FunctionType):
            return look_up(function)
        key = plain, plain is function
        if key not in known:
            known[key] = look_up(function)
        return known[key]

    for module in (snakemake.common, snakemake.rules):
        module.get_function_params = arguments  # pyright: ignore[reportAttributeAccessIssue]


class Refusal(WorkflowError):  # noqa: N818 - a person reads the name
    """What Snakemake prints as it is: without lines of code, which it takes from the traceback."""

    @property
    def __traceback__(self) -> TracebackType | None:  # pyright: ignore
        return None

    @__traceback__.setter
    def __traceback__(self, traceback: TracebackType | None) -> None:
        """Forget it: a block that an error leaves may set it."""


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal inside the block into the error that Snakemake prints without a traceback.

    Each line of it is a refusal of its own. What ``validate`` raises prints the whole schema: of it
    the sentence that helps remains.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        lines = str(error).splitlines()
    except WorkflowError as error:
        if not schema_errors.is_of_schema(error.__context__):
            raise
        lines = [schema_errors.in_words(error.__context__)]
    else:
        return
    raise Refusal("\n".join(f"refused: {line}" for line in lines)) from None


def is_main(workflow: Any) -> bool:
    """Whether this is the process that a person started, not a job of a cluster planning anew."""
    return workflow.is_main_process


def config_files(workflow: Any) -> list[Path]:
    """The files that the config was read from; what a later one gives counts."""
    given = [Path(file) for file in workflow.overwrite_configfiles]
    return [*(file for file in map(Path, workflow.configfiles) if file not in given), *given]


def before_run(workflow: Any, prepare: Callable[[], list[str]]) -> None:
    """Call ``prepare`` in every command that makes something, just before it plans.

    Commands that only look (--summary, --report, --lint, --unlock) do not call
    ``workflow.execute``; a dry run and jobs of a cluster do, but must not prepare.

    prepare   what was done, in lines that go to stderr
    """
    if not is_main(workflow) or workflow.output_settings.dryrun:
        return
    execute = workflow.execute

    def prepared(*args: Any, **kwargs: Any) -> Any:
        with refusals():
            for line in prepare():
                print(line, file=sys.stderr)
        return execute(*args, **kwargs)

    workflow.execute = prepared


def short_plan(workflow: Any) -> None:
    """List a dry run's jobs in one line each: rule, first output and reason, instead of ten lines.

    What the line does not show, such as the shell command, is not worked out, unless a plug-in logs
    too. With --verbose or --printshellcmds Snakemake's own list remains.
    """
    settings = workflow.output_settings
    if not settings.dryrun or settings.verbose or settings.printshellcmds:
        return
    theirs = [handler.formatter for handler in logger.handlers]
    formatters = [each for each in theirs if isinstance(each, DefaultFormatter)]
    for formatter in formatters:
        formatter.format_job_info = job_in_a_line
        formatter.format_workflow_started = began_in_a_line
    if len(formatters) == len(theirs):
        Job.log_info = log_job_of_plan  # type: ignore[method-assign]


def log_job_of_plan(job: Any, indent: bool = False, printshellcmd: bool = True) -> None:
    """Log what ``job_in_a_line`` shows of a job, in place of ``Job.log_info``."""
    first = [job.output[0]] if job.output else []
    extra = {
        "event": LogEvent.JOB_INFO,
        "rule_name": job.rule.name,
        "output": format_files(first, as_output=True),
        "reason": str(job.dag.reason(job)),
    }
    logger.info(f"Rule: {job.rule.name}", extra=extra)


def began_in_a_line(msg: dict[str, Any]) -> str:
    """What plans, and from which config files."""
    return f"Snakemake {msg['snakemake_version']}, config {msg['configfiles']}"


def job_in_a_line(msg: dict[str, Any]) -> str:
    """One job of a plan: its rule, its first output, and why it runs."""
    first = msg["output"][0] if msg["output"] else ""
    parts = [part for part in str(msg["reason"]).split("; ") if part]
    why = "; ".join(REASONS.get(part.partition(":")[0], part) for part in parts)
    why = why if len(why) <= LONGEST_REASON else f"{why[:LONGEST_REASON]}..."
    return f"{msg['rule_name']:<8}  {first}  ({' '.join(why.split())})"


def on_cluster(workflow: Any) -> bool:
    """Whether jobs run elsewhere; False while rules are parsed, when no executor is chosen yet."""
    return workflow.executor_plugin is not None and not workflow.local_exec


def has_software_deployment(workflow: Any) -> bool:
    """Whether jobs run in environments of their own (--software-deployment-method)."""
    return bool(workflow.deployment_settings.deployment_method)


def shell_prefix(workflow: Any) -> str:
    """Set-up of every job's shell, for ``shell.prefix``.

    Jobs run the scripts and import the package of this checkout, wherever --directory puts results,
    with the Python that runs Snakemake or, in an environment of their own, with that one's. A job
    whose cases share its cores starts with ``env $ONE_THREAD``: Snakemake would have each of them
    compute on all.
    """
    here = shlex.quote(str(workflow.basedir))
    python = shlex.quote(os.path.dirname(sys.executable))
    path = "" if has_software_deployment(workflow) else f"export PATH={python}:$PATH; "
    prefix = (
        f"set -euo pipefail; HERE={here}; ONE_THREAD={shlex.quote(ONE_THREAD)}; "
        f"export PYTHONPATH=$HERE/src; "
        f'source "$HERE"/workflow_scripts/job_exit.sh; {path}'
    )
    return prefix.replace("{", "{{").replace("}", "}}")  # Snakemake formats it


def check_literal(paths: Iterable[str]) -> None:
    """Refuse paths that cannot be inputs of a rule: Snakemake takes ``{x}`` in them for wildcards.

    It knows no way to write a brace that stands for itself.
    """
    for path in paths:
        if WILDCARD_REGEX.search(path):
            found = "curly braces in its name, which Snakemake takes for a wildcard"
            raise refused(path, found, "none", "rename it")


def gpu_limit(workflow: Any) -> int | None:
    """How many GPUs jobs may use at a time (--resources gpu=N); None without a limit."""
    limit = workflow.global_resources.get("gpu")
    return None if limit is None else limit.value


def targets(workflow: Any) -> set[str]:
    """The targets of the command line; known once the rules are parsed."""
    return set(workflow.dag_settings.targets)


def state(workflow: Any) -> SnakemakeState:
    """Snakemake's memory of earlier runs; ValueError if it is kept where it cannot be read."""
    settings = workflow.workflow_settings
    backend = settings.persistence_backend.name.lower()
    if settings.persistence_backend_db_url:
        raise ValueError(
            "--persistence-backend-db-url is not supported: without it the database is "
            f"{STATE}/metadata.db"
        )
    return SnakemakeState(STATE, backend)


def derived(value: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A param that reruns nothing when it changes: ``value`` of the job's wildcards.

    Snakemake compares no param whose function has an argument called ``output``: it would change
    with what it is derived from. This keeps devices and mirrors out of a result's identity.
    """

    def param(wildcards: Any, output: Any) -> Any:
        return value(wildcards)

    return param
