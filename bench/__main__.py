"""`python -m bench`: whole-process timings as ratios of one run; nothing here asserts."""

import sys

from bench.authorizer_cold import RUNTIME, cold
from bench.authorizer_warm import ALGORITHMS, warm
from bench.deployment import STACK, deployments
from bench.first_answer import first_answer
from bench.programs import CUSTOMERS, programs
from lab.provider.cli import MissingCliError
from lab.session import PRODUCER

CUSTOMER = "acme"
START_BUDGET_SECONDS = 10


def main() -> None:
    _programs()
    _warm_authorizer()
    _cold_authorizer()
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
    _say(
        f"  time per customer, {many} against {few}: {growth.ratio:.2f} x (budget 1.2 x; "
        f"{growth.many * 1000:.1f} ms against {growth.few * 1000:.1f} ms of processor time on top "
        f"of {one}; medians of {growth.pairs[1]} and {growth.pairs[0]} pairs of runs)"
    )


def _warm_authorizer() -> None:
    """The budgets are of RS256."""
    _say(
        "Authorizer, a warm decision on token, certificate, tenant and policy, against one raw "
        "verification by cryptography (budgets for RS256: at first sight of a token 4.5 x, seen "
        "before 1 x and 0.65 x PyJWT with PyJWKClient); the others do the token alone:"
    )
    for algorithm in ALGORITHMS:
        found = warm(algorithm)
        first, seen, client = found.first_sight, found.seen, found.pyjwt_client
        _say(
            f"  {algorithm}: first sight {first / found.raw:.2f} x, seen before "
            f"{seen / found.raw:.2f} x; joserfc {found.joserfc / found.raw:.2f} x, PyJWT "
            f"{found.pyjwt / found.raw:.2f} x, with PyJWKClient {client / found.raw:.2f} x, of "
            f"which ours is {first / client:.2f} x and {seen / client:.2f} x "
            f"(raw {found.raw:.1f} µs)"
        )


def _cold_authorizer() -> None:
    found = cold()
    ours, theirs = found.milliseconds["ours"], found.milliseconds["pyjwt"]
    _say(
        f"Authorizer, imports and first decision: {ours / theirs:.2f} x PyJWT on the token alone "
        f"(budget 0.8 x; {ours:.1f} ms against {theirs:.1f} ms, of which cryptography's parser of "
        f"certificates, which both import, {found.milliseconds['x509']:.1f} ms; {RUNTIME})"
    )
    _say(
        f"  memory at most: {found.mebibytes['ours']:.1f} MiB; with PyJWT "
        f"{found.mebibytes['pyjwt']:.1f} MiB, with neither {found.mebibytes['nothing']:.1f} MiB"
    )
    for architecture, size in found.package_bytes.items():
        budget = " (budget 5.3 MB)" if architecture == "arm64" else ""
        _say(f"  package for {architecture}: {size / 1e6:.2f} MB{budget}")


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
