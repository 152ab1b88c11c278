"""
Buckets added up in Redis, for the workers of several machines.

Adding is one script that the server runs without a break, so a batch is added whole or not at all,
and once. Keys share a hash tag, so that a cluster keeps them together. What Redis forgets when it
restarts without persistence is forgotten here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import DAY_NS, SECOND_NS
from errorbudget.errors import MissingDependencyError, SourceUnavailableError
from errorbudget.live.shared import key_of
from errorbudget.live.state import FeedState, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

__all__ = ["RedisStore"]

# KEYS: writers, totals, then per feed: told, good, bad, versions, ends.
# ARGV: writer, batch, at, oldest writer's time, dropped late, then per feed:
#       first, left out, keep from, seconds to live, number of buckets, and each bucket's
#       end, good, bad.
_PUSH = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(string.match(known, '^%d+')) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('HINCRBY', KEYS[2], 'dropped_late', ARGV[5])
local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
local a = 6
for k = 3, #KEYS, 5 do
  local first = redis.call('HGET', KEYS[k], 'first')
  if not first or tonumber(ARGV[a]) < tonumber(first) then
    redis.call('HSET', KEYS[k], 'first', ARGV[a])
  end
  redis.call('HINCRBY', KEYS[k], 'left_out', ARGV[a + 1])
  local rows = tonumber(ARGV[a + 4])
  for r = a + 5, a + 4 + 3 * rows, 3 do
    redis.call('HINCRBY', KEYS[k + 1], ARGV[r], ARGV[r + 1])
    redis.call('HINCRBY', KEYS[k + 2], ARGV[r], ARGV[r + 2])
    redis.call('ZADD', KEYS[k + 3], version, ARGV[r])
    redis.call('ZADD', KEYS[k + 4], ARGV[r], ARGV[r])
  end
  local old = redis.call('ZRANGEBYSCORE', KEYS[k + 4], '-inf', ARGV[a + 2], 'LIMIT', 0, 1000)
  for _, field in ipairs(old) do
    redis.call('HDEL', KEYS[k + 1], field)
    redis.call('HDEL', KEYS[k + 2], field)
    redis.call('ZREM', KEYS[k + 3], field)
    redis.call('ZREM', KEYS[k + 4], field)
  end
  for key = k, k + 4 do redis.call('EXPIRE', KEYS[key], ARGV[a + 3]) end
  a = a + 5 + 3 * rows
end
if version % 1000 == 0 then
  local writers = redis.call('HGETALL', KEYS[1])
  for w = 1, #writers, 2 do
    if tonumber(string.match(writers[w + 1], ' (%d+)')) < tonumber(ARGV[4]) then
      redis.call('HDEL', KEYS[1], writers[w])
    end
  end
end
return version
"""
# KEYS: totals, then per feed as above. ARGV: since.
_PULL = """
local found = {redis.call('HMGET', KEYS[1], 'version', 'dropped_late')}
for k = 2, #KEYS, 5 do
  local flat = {}
  local ends = redis.call('ZRANGEBYSCORE', KEYS[k + 3], '(' .. ARGV[1], '+inf')
  for i, field in ipairs(ends) do
    flat[3 * i - 2] = field
    flat[3 * i - 1] = redis.call('HGET', KEYS[k + 1], field)
    flat[3 * i] = redis.call('HGET', KEYS[k + 2], field)
  end
  found[#found + 1] = {redis.call('HMGET', KEYS[k], 'first', 'left_out'), flat}
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
        MissingDependencyError: An address is given and the client library is not installed.
    """

    def __init__(self, client: Redis | str, prefix: str = "errorbudget") -> None:
        try:
            import redis
        except ModuleNotFoundError:
            raise MissingDependencyError.for_extra(
                "sharing a budget through Redis", "redis", "redis"
            ) from None
        self.client: Any = redis.Redis.from_url(client) if isinstance(client, str) else client
        self.prefix = f"{{{prefix}}}"
        self._error: type[Exception] = redis.RedisError
        self._push: Callable[..., Any] = self.client.register_script(_PUSH)
        self._pull: Callable[..., Any] = self.client.register_script(_PULL)

    def _keys(self, feed: FeedState) -> list[str]:
        kinds = ("told", "good", "bad", "versions", "ends")
        return [f"{self.prefix}:{key_of(feed)}:{kind}" for kind in kinds]

    def _call(self, script: Callable[..., Any], keys: list[str], args: list[Any]) -> Any:
        try:
            return script(keys=keys, args=args)
        except self._error as error:
            raise SourceUnavailableError(f"cannot share through Redis: {error}") from error

    def push(self, writer: str, batch: int, changes: State, keep_from: dict[str, int]) -> None:
        """
        Add *changes*, unless this batch of this writer was added before.

        Raises:
            SourceUnavailableError: The server does not answer.
        """
        keys = [f"{self.prefix}:writers", f"{self.prefix}:totals"]
        at_ns = changes.at_ns
        args: list[Any] = [writer, batch, at_ns, at_ns - DAY_NS, changes.dropped_late]
        for feed in changes.feeds:
            keys += self._keys(feed)
            oldest = keep_from[key_of(feed)]
            # What nobody adds to any more goes a day after its last bucket has.
            alive_s = ((feed.newest - oldest) * feed.step_ns + DAY_NS) // SECOND_NS
            args += [feed.first, feed.left_out, oldest, alive_s, len(feed.ends)]
            args += np.stack((feed.ends, feed.good, feed.bad), axis=1).ravel().tolist()
        self._call(self._push, keys, args)

    def pull(self, since: int, feeds: tuple[FeedState, ...]) -> tuple[int, State]:
        """
        The buckets of *feeds* that changed after version *since*.

        Raises:
            SourceUnavailableError: The server does not answer.
        """
        keys = [f"{self.prefix}:totals"]
        for feed in feeds:
            keys += self._keys(feed)
        (version, late), *answers = self._call(self._pull, keys, [since])
        found = []
        for feed, ((first, left_out), flat) in zip(feeds, answers, strict=True):
            rows = np.array([int(value) for value in flat], dtype=np.int64).reshape(-1, 3)
            columns = rows[np.argsort(rows[:, 0])].T
            start = feed.first if first is None else int(first)
            found.append(feed.holding(start, int(left_out or 0), *columns))
        return int(version or 0), State(tuple(found), 0, int(late or 0))
