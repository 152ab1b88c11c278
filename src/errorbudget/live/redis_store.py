"""
Buckets added up in Redis, for the workers of several machines.

Adding is one script that the server runs without a break, so a batch is added whole or not at all,
and once. Keys share a hash tag, so that a cluster keeps them together. What Redis forgets when it
restarts without persistence, or from an older dump, the workers put back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from errorbudget.durations import DAY_NS, SECOND_NS
from errorbudget.errors import InvalidInputError, MissingDependencyError, SourceUnavailableError
from errorbudget.live.state import FeedState, State
from errorbudget.live.store import Batch, Contents, Counted, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis import Redis

__all__ = ["RedisStore"]

# In all three, KEYS: writers, totals, then per feed: told, good, bad, versions, ends.
# A feed that is given is in ARGV: first, left out, how many were counted (good, bad, left out,
# late), keep from, seconds to live, number of buckets, and each bucket's end, good, bad.
_COMMON = """
local function newest_of(writer)
  return tonumber(string.match(redis.call('HGET', KEYS[1], writer) or '0', '^%d+'))
end
local function add(k, a, life, version)
  redis.call('HSETNX', KEYS[k], 'life', life)
  local first = redis.call('HGET', KEYS[k], 'first')
  if not first or tonumber(ARGV[a]) < tonumber(first) then
    redis.call('HSET', KEYS[k], 'first', ARGV[a])
  end
  for i, name in ipairs({'left_out', 'counted_good', 'counted_bad', 'counted_left_out',
                         'counted_late'}) do
    redis.call('HINCRBY', KEYS[k], name, ARGV[a + i])
  end
  local after = a + 9 + 3 * tonumber(ARGV[a + 8])
  for r = a + 9, after - 3, 3 do
    redis.call('HINCRBY', KEYS[k + 1], ARGV[r], ARGV[r + 1])
    redis.call('HINCRBY', KEYS[k + 2], ARGV[r], ARGV[r + 2])
    redis.call('ZADD', KEYS[k + 3], version, ARGV[r])
    redis.call('ZADD', KEYS[k + 4], ARGV[r], ARGV[r])
  end
  for key = k, k + 4 do redis.call('EXPIRE', KEYS[key], ARGV[a + 7]) end
  return after
end
"""
# ARGV: life, version, writer, batch, at, oldest writer's time, dropped late, then the feeds.
_PUSH = (
    _COMMON
    + """
local life = redis.call('HGET', KEYS[2], 'life')
local version = tonumber(redis.call('HGET', KEYS[2], 'version') or 0)
local newest, number = newest_of(ARGV[3]), tonumber(ARGV[4])
if life ~= ARGV[1] or version < tonumber(ARGV[2]) or newest < number - 1 then return 0 end
if newest >= number then return 1 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4] .. ' ' .. ARGV[5])
redis.call('HINCRBY', KEYS[2], 'dropped_late', ARGV[7])
version = redis.call('HINCRBY', KEYS[2], 'version', 1)
local a = 8
for k = 3, #KEYS, 5 do
  local oldest = ARGV[a + 6]
  a = add(k, a, life, version)
  local old = redis.call('ZRANGEBYSCORE', KEYS[k + 4], '-inf', oldest, 'LIMIT', 0, 1000)
  for _, field in ipairs(old) do
    redis.call('HDEL', KEYS[k + 1], field)
    redis.call('HDEL', KEYS[k + 2], field)
    redis.call('ZREM', KEYS[k + 3], field)
    redis.call('ZREM', KEYS[k + 4], field)
  end
end
if version % 1000 == 0 then
  local writers = redis.call('HGETALL', KEYS[1])
  for w = 1, #writers, 2 do
    if tonumber(string.match(writers[w + 1], ' (%d+)')) < tonumber(ARGV[6]) then
      redis.call('HDEL', KEYS[1], writers[w])
    end
  end
end
return 1
"""
)
# ARGV: life seen, version seen, a new life, writers seen, dropped late, writer, its newest batch,
# lives past with their writers, then the feeds.
_PUT_BACK = (
    _COMMON
    + """
local life = redis.call('HGET', KEYS[2], 'life')
local version = tonumber(redis.call('HGET', KEYS[2], 'version') or 0)
local back = version < tonumber(ARGV[2]) or newest_of(ARGV[6]) < tonumber(ARGV[7])
local function is_past(one) return string.find(ARGV[8], one, 1, true) end
if not life or (life == ARGV[1] and back) or is_past(life) then
  if life then redis.call('HDEL', KEYS[2], 'dropped_late') end
  life = ARGV[3]
  redis.call('HSET', KEYS[2], 'life', life)
end
if ARGV[1] == '' or life == ARGV[1] then return {life} end
local mark = 'put back ' .. ARGV[1]
if redis.call('HSETNX', KEYS[2], mark, ARGV[4]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'dropped_late', ARGV[5])
end
version = redis.call('HINCRBY', KEYS[2], 'version', 1)
local found = {life}
local a = 9
for k = 3, #KEYS, 5 do
  if redis.call('HSETNX', KEYS[k], mark, ARGV[4]) == 1 then
    -- For those who still know a life before that.
    for past, writers in pairs(cjson.decode(ARGV[8])) do
      redis.call('HSETNX', KEYS[2], 'put back ' .. past, writers)
      redis.call('HSETNX', KEYS[k], 'put back ' .. past, writers)
    end
    local was = redis.call('HGET', KEYS[k], 'life')
    if was and (was == ARGV[1] or is_past(was)) then
      -- It went back in time: what it has is an earlier state of what was seen.
      redis.call('HDEL', KEYS[k], 'life', 'first', 'left_out', 'counted_good', 'counted_bad',
                 'counted_left_out', 'counted_late')
      redis.call('DEL', KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], KEYS[k + 4])
    end
    add(k, a, life, version)
  end
  a = a + 9 + 3 * tonumber(ARGV[a + 8])
  found[#found + 1] = redis.call('HGET', KEYS[k], mark)
end
return found
"""
)
# ARGV: since.
_PULL = """
local found = {redis.call('HMGET', KEYS[2], 'life', 'version', 'dropped_late'),
               redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
for k = 3, #KEYS, 5 do
  local flat = {}
  local ends = redis.call('ZRANGEBYSCORE', KEYS[k + 3], '(' .. ARGV[1], '+inf')
  for i, field in ipairs(ends) do
    flat[3 * i - 2] = field
    flat[3 * i - 1] = redis.call('HGET', KEYS[k + 1], field)
    flat[3 * i] = redis.call('HGET', KEYS[k + 2], field)
  end
  found[#found + 1] = {
    redis.call('HMGET', KEYS[k], 'first', 'left_out', 'counted_good', 'counted_bad',
               'counted_left_out', 'counted_late'), flat}
end
return found
"""


class RedisStore:
    """
    A shared budget in Redis.

    Args:
        client: A `redis.Redis`, or the address of one, such as `"redis://localhost:6379/0"`.
        prefix: What all keys begin with.

    Raises:
        InvalidInputError: *client* is neither.
        MissingDependencyError: An address is given and the client library is not installed.
    """

    def __init__(self, client: Redis | str, prefix: str = "errorbudget") -> None:
        try:
            import redis
        except ModuleNotFoundError:
            raise MissingDependencyError.for_extra(
                "sharing a budget through Redis", "redis", "redis"
            ) from None
        try:
            self.client: Any = redis.Redis.from_url(client) if isinstance(client, str) else client
            self.client.register_script  # noqa: B018 - asks whether it is a client
        except (AttributeError, ValueError):
            raise InvalidInputError(
                'RedisStore takes a redis.Redis, or an address such as "redis://localhost:6379/0", '
                f"got another {type(client).__name__}"
            ) from None
        self.prefix = f"{{{prefix}}}"
        self._error: type[Exception] = redis.RedisError
        self._push: Callable[..., Any] = self.client.register_script(_PUSH)
        self._put_back: Callable[..., Any] = self.client.register_script(_PUT_BACK)
        self._pull: Callable[..., Any] = self.client.register_script(_PULL)

    def _keys(self, feeds: Iterable[FeedState]) -> list[str]:
        names = ["writers", "totals"]
        for feed in feeds:
            kinds = ("told", "good", "bad", "versions", "ends")
            names += [f"{key_of(feed)}:{kind}" for kind in kinds]
        return [f"{self.prefix}:{name}" for name in names]

    def _call(self, script: Callable[..., Any], keys: list[str], args: list[Any]) -> Any:
        try:
            return script(keys=keys, args=args)
        except self._error as error:
            raise SourceUnavailableError(f"cannot share through Redis: {error}") from error

    def push(self, batch: Batch) -> bool:
        """
        Add *batch*, unless it was added before; False where the server lost what the writer saw.

        Raises:
            SourceUnavailableError: The server does not answer.
        """
        changes = batch.changes
        at_ns = changes.at_ns
        args: list[Any] = [batch.life or "", batch.version, batch.writer, batch.number]
        args += [at_ns, at_ns - DAY_NS, changes.dropped_late]
        for each in zip(changes.feeds, batch.counted, batch.keep_from, strict=True):
            args += _told(*each)
        return bool(self._call(self._push, self._keys(changes.feeds), args))

    def put_back(self, seen: Contents, writer: str, given: int) -> tuple[str, tuple[int, ...]]:
        """
        Give back what was seen of a life that the server lost, unless another did.

        Raises:
            SourceUnavailableError: The server does not answer.
        """
        feeds = seen.state.feeds
        args: list[Any] = [seen.life or "", seen.version, uuid4().hex]
        args += [json.dumps(dict(seen.writers)), seen.state.dropped_late, writer, given]
        args.append(json.dumps(dict(seen.past)))
        for feed in feeds:
            args += _told(feed, Counted(), feed.newest)
        life, *marks = self._call(self._put_back, self._keys(feeds), args)
        held = tuple(json.loads(mark).get(writer, 0) for mark in marks)
        return _text(life), held or (0,) * len(feeds)

    def pull(self, since: int, feeds: tuple[FeedState, ...]) -> Contents:
        """
        The server's contents; of buckets those of *feeds* that changed after version *since*.

        Raises:
            SourceUnavailableError: The server does not answer.
        """
        (life, version, late), writers, fields, *answers = self._call(
            self._pull, self._keys(feeds), [since]
        )
        found, counted = [], []
        for feed, ((first, left_out, *came), flat) in zip(feeds, answers, strict=True):
            rows = np.array([int(value) for value in flat], dtype=np.int64).reshape(-1, 3)
            columns = rows[np.argsort(rows[:, 0])].T
            start = feed.first if first is None else int(first)
            found.append(feed.holding(start, int(left_out or 0), *columns))
            counted.append(Counted(*(int(number or 0) for number in came)))
        return Contents(
            None if life is None else _text(life),
            int(version or 0),
            State(tuple(found), 0, int(late or 0)),
            tuple(counted),
            {
                _text(writer): int(_text(told).split()[0])
                for writer, told in zip(writers[::2], writers[1::2], strict=True)
            },
            {
                _text(field).removeprefix("put back "): _text(value)
                for field, value in zip(fields[::2], fields[1::2], strict=True)
                if _text(field).startswith("put back ")
            },
        )


def _text(answer: bytes | str) -> str:
    return answer if isinstance(answer, str) else answer.decode()


def _told(feed: FeedState, counted: Counted, keep_from: int) -> list[Any]:
    """A feed as the scripts take it."""
    # What nobody adds to any more goes a day after its last bucket has.
    alive_s = ((feed.newest - keep_from) * feed.step_ns + DAY_NS) // SECOND_NS
    rows = np.stack((feed.ends, feed.good, feed.bad), axis=1).ravel().tolist()
    return [feed.first, feed.left_out, *counted, keep_from, alive_s, len(feed.ends), *rows]
