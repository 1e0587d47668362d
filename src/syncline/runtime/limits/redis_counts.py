"""Counts kept in Redis: the same for every process, and still there after a restart of ours.

Whatever is asked in one turn of the event loop goes to Redis together, over one connection: a crowd costs one round
trip, and never waits for connections.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from syncline.runtime.limits.counting import CountsLost, Verdict, of_bucket, of_window
from syncline.runtime.limits.policy import SLOTS, Rate

PREFIX = "syncline:limit:"
PATIENCE = timedelta(milliseconds=500)
"""A limit that is slower than this is worth less than the request it guards."""
_AT_ONCE = 200

# Time is Redis's own, so that processes whose clocks differ count alike; a test hands its own in.
_NOW = """
local now = tonumber(ARGV[1])
if now == nil then local t = redis.call('TIME'); now = tonumber(t[1]) + tonumber(t[2]) / 1000000 end
"""

_WINDOW = (
    _NOW
    + """
local count, width, slots = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local slot = math.floor(now / width)
local kept = redis.call('HGETALL', KEYS[1])
local used, first, last = 0, slot, slot
local any = false
for i = 1, #kept, 2 do
  local one, many = tonumber(kept[i]), tonumber(kept[i + 1])
  if one < slot - slots then
    redis.call('HDEL', KEYS[1], kept[i])
  else
    used = used + many
    if not any then first, last, any = one, one, true
    else first, last = math.min(first, one), math.max(last, one) end
  end
end
local allowed = 0
if used < count then
  allowed, used = 1, used + 1
  if not any then first = slot end
  last = slot
  redis.call('HINCRBY', KEYS[1], string.format('%d', slot), 1)
  redis.call('PEXPIRE', KEYS[1], math.ceil(width * (slots + 2) * 1000))
end
local ends = width * (slots + 1) - now
return {allowed, used, string.format('%.6f', last * width + ends), string.format('%.6f', first * width + ends)}
"""
)

_BUCKET = (
    _NOW
    + """
local one, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
local debt = math.max(0, full_at - now)
local allowed = 0
if debt + one <= most * one + 0.000001 then
  allowed, debt = 1, debt + one
  redis.call('SET', KEYS[1], string.format('%.6f', now + debt), 'PX', math.ceil(debt * 1000) + 1000)
end
return {allowed, string.format('%.6f', debt)}
"""
)


@dataclass(frozen=True, slots=True)
class _Script:
    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class _Question:
    script: _Script
    key: str
    values: Sequence[Any]
    answer: asyncio.Future[list[Any]]


def _script(text: str) -> _Script:
    return _Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())  # as Redis names scripts


_TAKE_FROM_WINDOW, _TAKE_FROM_BUCKET = _script(_WINDOW), _script(_BUCKET)


class RedisCounts:
    """`clock` is for tests; without it Redis says what time it is."""

    def __init__(self, url: str, clock: Callable[[], float] | None = None) -> None:
        """Connects when first asked. Raises `ValueError` for what is no Redis URL."""
        seconds = PATIENCE.total_seconds()
        self._redis = Redis.from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 1),  # a connection that Redis closed while it lay idle is opened anew
            decode_responses=True,
        )
        self._clock = clock
        self._waiting: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None

    async def take(self, key: str, rate: Rate) -> Verdict:
        now = "" if self._clock is None else repr(self._clock())
        if rate.burst is None:
            width = repr(rate.seconds / SLOTS)
            allowed, used, whole, retry = await self._ask(_TAKE_FROM_WINDOW, key, [now, rate.count, width, SLOTS])
            retry_in = float(retry) if int(used) >= rate.count else 0.0
            return of_window(rate, int(used), allowed=bool(int(allowed)), whole_in=float(whole), retry_in=retry_in)
        one = repr(rate.seconds / rate.count)
        allowed, debt = await self._ask(_TAKE_FROM_BUCKET, key, [now, one, rate.most])
        return of_bucket(rate, float(debt), allowed=bool(int(allowed)))

    async def forget(self, key: str) -> None:
        try:
            await self._redis.delete(PREFIX + key)
        except (RedisError, OSError) as error:
            raise CountsLost(str(error)) from error

    async def ping(self) -> None:
        """Raises `CountsLost`."""
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise CountsLost(str(error)) from error

    async def close(self) -> None:
        if self._asking is not None:
            await self._asking
        await self._redis.aclose()

    async def _ask(self, script: _Script, key: str, values: Sequence[Any]) -> list[Any]:
        question = _Question(script, key, values, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return await question.answer

    async def _ask_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            try:
                answers = await self._send(batch)
            except (RedisError, OSError) as error:
                answers = [CountsLost(str(error)) for _ in batch]
            for question, answer in zip(batch, answers, strict=True):
                _tell(question.answer, answer)

    async def _send(self, batch: Sequence[_Question]) -> list[Any]:
        answers = await self._pipeline(batch)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            # A Redis that was started anew, or flushed, no longer knows them.
            for script in (_TAKE_FROM_WINDOW, _TAKE_FROM_BUCKET):
                await self._redis.script_load(script.text)
            unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            again = await self._pipeline([batch[number] for number in unknown])
            for number, answer in zip(unknown, again, strict=True):
                answers[number] = answer
        return answers

    async def _pipeline(self, batch: Sequence[_Question]) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for question in batch:
                pipe.evalsha(question.script.sha, 1, PREFIX + question.key, *question.values)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
        return answers


def _tell(waiting: asyncio.Future[list[Any]], answer: object) -> None:
    if waiting.done():  # whoever asked has gone
        return
    if isinstance(answer, CountsLost):
        waiting.set_exception(answer)
    elif isinstance(answer, Exception):
        waiting.set_exception(CountsLost(str(answer)))
    else:
        assert isinstance(answer, list)
        waiting.set_result(answer)
