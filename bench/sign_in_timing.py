"""Whether the time of a refused sign-in tells if an e-mail has an account.

    python -m bench.sign_in_timing [--tries 300] [--write-docs]

Unknown e-mails and known ones with a wrong password, in random order, one at a time. Two figures say whether they
differ: the difference of the medians with its 95 % interval (bootstrap), and how often a known one takes longer than an
unknown one (0.5 is never to be told apart), with how many standard errors that is from 0.5 (Mann and Whitney). Beyond
three the program ends with 1.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from bench.harness import machine, print_table, write_between
from bench.web_process import PASSWORD, running_site, unique_mail

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
ACCOUNTS = 10
RESAMPLES = 2_000
FAR = 3.0


async def measure(client: httpx.AsyncClient, tries: int, draw: random.Random) -> dict[str, list[float]]:
    """Milliseconds of each refusal."""
    known = [unique_mail() for _ in range(ACCOUNTS)]
    for email in known:
        body = {"name": "Ada", "email": email, "password": PASSWORD, "shopDomain": "ada.example"}
        (await client.post("/api/auth/register", json=body)).raise_for_status()
    order = ["unknown e-mail", "known e-mail, wrong password"] * tries
    draw.shuffle(order)
    taken: dict[str, list[float]] = {name: [] for name in sorted(set(order), reverse=True)}
    for name in order:
        email = unique_mail() if name == "unknown e-mail" else draw.choice(known)
        began = time.perf_counter()
        answer = await client.post("/api/auth/login", json={"email": email, "password": "not the password"})
        taken[name].append((time.perf_counter() - began) * 1_000)
        if answer.status_code != 401:
            raise SystemExit(f"{name} was answered with {answer.status_code}: {answer.text}")
    return taken


def median_difference(one: Sequence[float], other: Sequence[float], draw: random.Random) -> tuple[float, float, float]:
    """`other` minus `one`, and the interval that holds 95 % of the resampled differences."""
    differences = sorted(
        statistics.median(draw.choices(other, k=len(other))) - statistics.median(draw.choices(one, k=len(one)))
        for _ in range(RESAMPLES)
    )
    low, high = differences[int(RESAMPLES * 0.025)], differences[int(RESAMPLES * 0.975)]
    return statistics.median(other) - statistics.median(one), low, high


def how_often_longer(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """How often one of `other` is above one of `one`, and that in standard errors from a half."""
    above = sum((b > a) + 0.5 * (b == a) for a in one for b in other)
    part = above / (len(one) * len(other))
    error = math.sqrt((len(one) + len(other) + 1) / (12 * len(one) * len(other)))
    return part, (part - 0.5) / error


async def main(tries: int, seed: int, *, write_docs: bool) -> int:
    draw = random.Random(seed)
    # Guessing is slowed down; here it is the guessing that is measured.
    async with (
        running_site(SYNCLINE_ACCOUNTS_THROTTLE_AFTER="1000000") as site,
        httpx.AsyncClient(base_url=site["url"], timeout=60) as client,
    ):
        await measure(client, 10, draw)
        taken = await measure(client, tries, draw)
    unknown, known = taken["unknown e-mail"], taken["known e-mail, wrong password"]
    difference, low, high = median_difference(unknown, known, draw)
    part, errors = how_often_longer(unknown, known)
    rows = [
        (name, len(one), statistics.median(one), *(sorted(one)[int(len(one) * at)] for at in (0.05, 0.95)))
        for name, one in taken.items()
    ]
    verdict = (
        f"Known minus unknown: {difference:+.2f} ms (95 % interval {low:+.2f} to {high:+.2f}). A known one takes longer"
        f" {part:.3f} of the times, {errors:+.1f} standard errors from a half."
    )
    caption = f"Refused sign-ins, one at a time; {machine()}"
    text = print_table(caption, ["sign-in", "tries", "median ms", "p5 ms", "p95 ms"], rows)
    print(verdict)
    if write_docs:
        write_between(PAGE, "sign-in-timing", f"{caption}\n\n{text}\n\n{verdict}")
    return int(abs(errors) > FAR)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write-docs", action="store_true")
    told = parser.parse_args()
    sys.exit(asyncio.run(main(told.tries, told.seed, write_docs=told.write_docs)))
