"""`python -m bench`: whole-process timings as ratios of one run; nothing here asserts."""

import sys

from bench.deployment import STACK, deployments
from bench.first_answer import first_answer
from bench.programs import CUSTOMERS, programs
from lab.provider.cli import MissingCliError
from lab.session import PRODUCER

CUSTOMER = "acme"
START_BUDGET_SECONDS = 10


def main() -> None:
    _programs()
    _first_answers()
    _deployments()


def _programs() -> None:
    _say("Whole program under mocks, against as many bare resources after the same imports:")
    rows, growth = programs()
    for row in rows:
        _say(
            f"  {row.customers:>5} customers, {row.resources:>5} resources: "
            f"{row.whole / row.floor:.2f} x (budget 1.5 x; {row.whole:.1f} s against "
            f"{row.floor:.1f} s; best of {row.runs} runs)"
        )
    one, few, many = CUSTOMERS
    runs = ", ".join(f"{n} of {size}" for size, n in zip(CUSTOMERS, growth.runs, strict=True))
    _say(
        f"  time per customer, {many} against {few}: {growth.ratio:.2f} x (budget 1.2 x; "
        f"{growth.many * 1000:.1f} ms against {growth.few * 1000:.1f} ms of processor time on top "
        f"of {one}; best of runs: {runs})"
    )


def _first_answers() -> None:
    seconds = first_answer([STACK], PRODUCER)
    _say(
        f"Lab, start to first 200: {seconds:.1f} s, {seconds / START_BUDGET_SECONDS:.2f} x "
        f"the budget of {START_BUDGET_SECONDS} s"
    )
    seconds = first_answer([STACK, CUSTOMER], CUSTOMER)
    _say(
        f"Lab with a customer, start to its first 200 over PrivateLink: {seconds:.1f} s, "
        f"{seconds / START_BUDGET_SECONDS:.2f} x those {START_BUDGET_SECONDS} s (no budget)"
    )


def _deployments() -> None:
    """Under the Pulumi engine; this has no budget, its ratios are for comparing commits."""
    title = f"The {STACK} stack under the Pulumi engine"
    try:
        resources, rows = deployments()
    except MissingCliError as error:
        _say(f"{title}: not measured; {error}")
        return
    _say(f"{title}, against as many bare resources of a provider that does nothing:")
    for operation, whole, floor in rows:
        _say(
            f"  {operation:>10}, {resources:>5} resources: {whole / floor:.2f} x "
            f"({whole:.1f} s against {floor:.1f} s)"
        )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
