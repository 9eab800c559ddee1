"""What Redis does in one go, in Lua. Each can be run again with the same arguments, and then does nothing more: an
answer that was lost with its connection is asked for again.

Times are milliseconds of the server's clock. For Redis 6.0 or later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1
from typing import Final

__all__ = ["ALL", "BEAT", "CHANGE", "COUNTS", "GREET", "LEAVE", "PRESENCE", "PUBLISH", "SYNC", "Script"]


@dataclass(frozen=True)
class Script:
    source: str

    @cached_property
    def sha(self) -> str:
        return sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    def parts(self, keys: Sequence[str], *arguments: str | bytes | int) -> tuple[str | bytes | int, ...]:
        """The command that runs it."""
        return ("EVALSHA", self.sha, len(keys), *keys, *arguments)


_TIME = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
"""

# The room's counter. A new one, and one of another generation, gets a new epoch; its number goes on.
_ROOM = """
local function generation(key, token)
  local id = redis.call('HGET', key, 'id')
  if not id then
    id = token
    redis.call('HSET', key, 'id', id)
  end
  return id
end

local function room(key, generation, token, lifetime)
  local have = redis.call('HMGET', key, 'g', 'e', 'n')
  if have[1] == generation then
    return have[2], have[3]
  end
  local number = have[3] or '0'
  local epoch = generation .. token  -- a call that is made again in a new generation has its old token
  redis.call('HSET', key, 'g', generation, 'e', epoch, 'n', number)
  redis.call('PEXPIRE', key, lifetime)
  return epoch, number
end
"""

# What a process has left behind.
_FORGET = """
local function forget(prefix, process)
  local rooms = prefix .. ':rooms:' .. process
  for _, room in ipairs(redis.call('HKEYS', rooms)) do
    redis.call('DEL', prefix .. ':here:' .. process .. ':' .. room)
    redis.call('HDEL', prefix .. ':at:' .. room, process)
  end
  redis.call('DEL', rooms)
  redis.call('ZREM', prefix .. ':processes', process)
end
"""

# KEYS generation; ARGV token, run id of the server or nothing. -> id of the generation, time
GREET = Script(
    _TIME
    + """
local have = redis.call('HMGET', KEYS[1], 'id', 'run')
local id = have[1]
if not id or (ARGV[2] ~= '' and have[2] and have[2] ~= ARGV[2]) then
  id = ARGV[1]
  redis.call('HSET', KEYS[1], 'id', id)
end
if ARGV[2] ~= '' and have[2] ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'run', ARGV[2])
end
return {id, now()}
"""
)

# KEYS generation, sent, then for each message its room, history, channel; ARGV token, length of the history, its bytes,
# its lifetime, the room's lifetime, then for each message its sequence, the time when it is too late, its body.
# -> for each message epoch, number, time, with spaces between; also when it was published by the call before, which is
# what `sent` tells; nothing when it is too late
PUBLISH: Final = Script(
    _TIME
    + _ROOM
    + """
local generation_id = generation(KEYS[1], ARGV[1])
local length, bytes, history_lifetime, lifetime = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local last = tonumber(redis.call('HGET', KEYS[2], 'last') or '0')
local time = now()
local sent = {}
local answers = {}
for index = 1, (#ARGV - 5) / 3 do
  local counter, history, channel = KEYS[3 * index], KEYS[3 * index + 1], KEYS[3 * index + 2]
  local sequence, late = ARGV[3 * index + 3], ARGV[3 * index + 4]
  if tonumber(sequence) <= last then
    answers[index] = redis.call('HGET', KEYS[2], sequence) or ''
  elseif time > tonumber(late) then
    answers[index] = ''
  else
    local epoch = room(counter, generation_id, ARGV[1], lifetime)
    local number = redis.call('HINCRBY', counter, 'n', 1)
    redis.call('PEXPIRE', counter, lifetime)
    local place = epoch .. ' ' .. string.format('%.0f', number) .. ' ' .. string.format('%.0f', time)
    local message = 'qp1 ' .. place .. ' ' .. ARGV[3 * index + 5]
    if length > 0 then
      local count = redis.call('RPUSH', history, message)
      local size = #message
      if count > 1 then
        size = redis.call('HINCRBY', counter, 'b', size)
      end
      while count > 1 and (count > length or size > bytes) do
        size = size - #redis.call('LPOP', history)
        count = count - 1
      end
      redis.call('HSET', counter, 'b', size)
      redis.call('PEXPIRE', history, history_lifetime)
    end
    redis.call('PUBLISH', channel, message)
    sent[#sent + 1] = sequence
    sent[#sent + 1] = place
    last = tonumber(sequence)
    answers[index] = place
  end
end
if #sent > 0 then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'last', string.format('%.0f', last), unpack(sent))
  redis.call('PEXPIRE', KEYS[2], lifetime)
end
return answers
"""
)

# KEYS generation, then for each room its counter, history; ARGV token, room's lifetime, channel for the mark, the mark,
# how much history at most, then for each room the epoch and the number after which history is wanted, or '' and ''.
# -> for each room epoch, number, history
SYNC: Final = Script(
    _ROOM
    + """
local generation_id = generation(KEYS[1], ARGV[1])
local most = tonumber(ARGV[5])
local answers = {}
for index = 1, (#ARGV - 5) / 2 do
  local epoch, number = room(KEYS[2 * index], generation_id, ARGV[1], ARGV[2])
  local after_epoch, after_number = ARGV[2 * index + 4], ARGV[2 * index + 5]
  local wanted = 0
  if after_epoch == epoch then
    wanted = math.min(tonumber(number) - tonumber(after_number), most)
  elseif after_epoch ~= '' then
    wanted = most
  end
  local history = {}
  if wanted > 0 then
    history = redis.call('LRANGE', KEYS[2 * index + 1], -wanted, -1)
  end
  answers[index] = {epoch, number, history}
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return answers
"""
)

# KEYS here, at, rooms; ARGV process, room, lifetime, '1' when what follows is all, then id and JSON of each member, or
# id and '' of one that has left. -> how many the process has there
CHANGE: Final = Script(
    """
local process, room, lifetime = ARGV[1], ARGV[2], ARGV[3]
if ARGV[4] == '1' then
  redis.call('DEL', KEYS[1])
end
for index = 5, #ARGV, 2 do
  if ARGV[index + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[index])
  else
    redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
  end
end
local count = redis.call('HLEN', KEYS[1])
if count == 0 then
  redis.call('HDEL', KEYS[2], process)
  redis.call('HDEL', KEYS[3], room)
else
  redis.call('HSET', KEYS[2], process, count)
  redis.call('HSET', KEYS[3], room, count)
  for index = 1, 3 do
    redis.call('PEXPIRE', KEYS[index], lifetime)
  end
end
return count
"""
)

# KEYS processes, generation; ARGV prefix, process, for how long it counts as alive, token.
# -> id of the generation, time, 1 when the process was known or 0, the rooms where it is thought to have members
BEAT: Final = Script(
    _TIME
    + _FORGET
    + _ROOM
    + """
local time = now()
local prefix, process = ARGV[1], ARGV[2]
local known = redis.call('ZSCORE', KEYS[1], process) and 1 or 0
redis.call('ZADD', KEYS[1], time + ARGV[3], process)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time)) do
  forget(prefix, dead)
end
return {generation(KEYS[2], ARGV[4]), time, known, redis.call('HKEYS', prefix .. ':rooms:' .. process)}
"""
)

# ARGV prefix, process
LEAVE: Final = Script(_FORGET + "forget(ARGV[1], ARGV[2])")

# KEYS processes, at; ARGV prefix, room. -> the members, each as JSON
PRESENCE: Final = Script(
    _TIME
    + """
local time = now()
local members = {}
for _, process in ipairs(redis.call('HKEYS', KEYS[2])) do
  local until_ = redis.call('ZSCORE', KEYS[1], process)
  if until_ and tonumber(until_) > time then
    for _, member in ipairs(redis.call('HVALS', ARGV[1] .. ':here:' .. process .. ':' .. ARGV[2])) do
      members[#members + 1] = member
    end
  end
end
return members
"""
)

# KEYS processes; ARGV prefix. -> for each living process its name, and a list of rooms and counts in turn
COUNTS: Final = Script(
    _TIME
    + """
local found = {}
for _, process in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now()), '+inf')) do
  found[#found + 1] = process
  found[#found + 1] = redis.call('HGETALL', ARGV[1] .. ':rooms:' .. process)
end
return found
"""
)

ALL: Final = (GREET, PUBLISH, SYNC, CHANGE, BEAT, LEAVE, PRESENCE, COUNTS)
