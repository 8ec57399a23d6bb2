import { createHash } from 'node:crypto'
import { reasonOf } from '../../../errors.ts'

/**
 * What every function begins with: the channel's epoch and offset. A channel that Redis does not have, or does not have any more, gets
 * an epoch that no other has: 8 bytes of the instance that asks and 8 of the time in microseconds.
 *
 *     keys[1]  a hash: e, the epoch, o, the offset of the last message, and r, the run of the server that has seen to it last
 *     keys[2]  a stream: the messages that are kept; their ids are their offsets
 *     args[1]  16 hexadecimal digits of the instance
 *     args[2]  for how long the hash outlives its last use, in milliseconds
 *
 * A server that was a replica, or that has its data from a snapshot, may be behind what was given out before. So a channel that it
 * finds there begins anew: whoever compared offsets would come too late where others had already published. What the library knows of
 * its server is in variables, which no replica is sent: one that is promoted finds them empty, and asks. One that was a master before
 * asks when a channel has another run. Redis changes the id of its replication when it is promoted, and keeps the one before.
 */
const PLACE = `
local run, may_be_behind

local function look()
  local info = redis.call('INFO', 'replication') .. redis.call('INFO', 'persistence')
  local before = string.match(info, 'master_replid2:(%w+)') or ''
  local loaded = string.match(info, 'rdb_last_load_keys_loaded:(%d+)') or '0'
  local has_aof = string.match(info, 'aof_enabled:1') ~= nil
  may_be_behind = string.match(before, '[^0]') ~= nil or (loaded ~= '0' and not has_aof)
  run = string.match(info, 'master_replid:(%w+)') or ''
end

local function begin(keys, args, time)
  local epoch = args[1] .. string.format('%016x', time[1] * 1000000 + time[2])
  redis.call('HSET', keys[1], 'e', epoch, 'o', 0, 'r', run)
  redis.call('DEL', keys[2])
  return epoch, 0
end

local function find(keys, args)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local state = redis.call('HMGET', keys[1], 'e', 'o', 'r')
  local epoch, offset = state[1], tonumber(state[2])
  if not run or (epoch and state[3] ~= run) then look() end
  if not epoch or not offset or (state[3] ~= run and may_be_behind) then
    epoch, offset = begin(keys, args, time)
  elseif state[3] ~= run then
    redis.call('HSET', keys[1], 'r', run)
  end
  return epoch, offset, now, time
end
`
const LIVE_ON = `redis.call('PEXPIRE', keys[1], args[2])`

/**
 * Gives a message its place, keeps it and publishes it, so that history and live delivery agree.
 *
 *     keys[3]  what was answered to the idempotency key, and a blank and the id of the message that had it
 *     args[3]  how many messages are kept; 0: none
 *     args[4]  for how long, in milliseconds
 *     args[5]  PUBLISH or SPUBLISH
 *     args[6]  the channel to publish to
 *     args[7]  the body
 *     args[8]  for how long the idempotency key holds, in milliseconds; 0: there is none
 *     args[9]  the id of the message, where it has a key
 *
 * Too old messages are looked for with every sixteenth one only: it costs as much as the rest.
 */
const PUBLISH_BODY = `
  if args[8] ~= '0' then
    local known = redis.call('GET', keys[3])
    if known then return known end
  end
  local epoch, offset, now = find(keys, args)
  offset = redis.call('HINCRBY', keys[1], 'o', 1)
  ${LIVE_ON}
  local rest = struct.pack('>I8I8', now, offset) .. args[7]
  if args[3] == '0' then
    redis.call('DEL', keys[2])
  else
    redis.call('XADD', keys[2], 'MAXLEN', '~', args[3], string.format('%.0f-0', offset), 'm', rest)
    redis.call('PEXPIRE', keys[2], args[4])
    if offset % 16 == 0 then
      local last
      for _, entry in ipairs(redis.call('XRANGE', keys[2], '-', '+', 'COUNT', 64)) do
        if struct.unpack('>I8', entry[2][2]) >= now - args[4] then break end
        last = entry[1]
      end
      if last then redis.call('XTRIM', keys[2], 'MINID', last) end
    end
  end
  redis.call(args[5], args[6], epoch .. rest)
  local answer = epoch .. string.format('%.0f', offset)
  if args[8] ~= '0' then
    answer = answer .. ' ' .. args[9]
    redis.call('SET', keys[3], answer, 'PX', args[8])
  end
  return answer
`

/**
 * A part of the channel's past.
 *
 *     args[3]  the epoch of args[4], or nothing: whatever it is
 *     args[4]  the messages behind this offset; nothing: the last ones
 *     args[5]  at most so many, 0: none
 *     args[6]  and so many bytes, but one in any case
 *     args[7]  how many messages the channel keeps
 *
 * Answers the epoch, the offset, the time in milliseconds, and messages.
 */
const PAST_BODY = `
  local epoch, offset, now = find(keys, args)
  ${LIVE_ON}
  local answer = { epoch, string.format('%.0f', offset), string.format('%.0f', now) }
  local limit, most = tonumber(args[5]), tonumber(args[6])
  if limit == 0 then return answer end
  local after = tonumber(args[4]) or offset - limit
  if args[3] ~= '' and args[3] ~= epoch then after = 0 end
  after = math.max(after, offset - args[7], 0)
  local count, bytes = 0, 0
  while count < limit do
    local asked = math.min(100, limit - count)
    local entries = redis.call('XRANGE', keys[2], '(' .. string.format('%.0f', after) .. '-0', '+', 'COUNT', asked)
    for _, entry in ipairs(entries) do
      bytes = bytes + #entry[2][2]
      if count > 0 and bytes > most then return answer end
      count = count + 1
      answer[count + 3] = entry[2][2]
      after = struct.unpack('>I8', entry[2][2], 9)
    end
    if #entries < asked then return answer end
  end
  return answer
`

/** Begins a channel anew that has the epoch of args[3] and is before the offset of args[4]. */
const RENEW_BODY = `
  local epoch, offset, _, time = find(keys, args)
  if epoch ~= args[3] or offset >= tonumber(args[4]) then return 0 end
  begin(keys, args, time)
  return 1
`

/** All libraries of a Redis share their names, and instances of several versions may use it at a time. */
const VERSION = createHash('sha1')
  .update([PLACE, PUBLISH_BODY, PAST_BODY, RENEW_BODY].join(''))
  .digest('hex')
  .slice(0, 12)

export const PUBLISH: string = `scherzo_publish_${VERSION}`
export const PAST: string = `scherzo_past_${VERSION}`
export const RENEW: string = `scherzo_renew_${VERSION}`

/** Only publishing is refused where Redis is out of memory: the others are for those who want to hear what there is. */
export const LIBRARY: string = `#!lua name=scherzo_${VERSION}
${PLACE}
redis.register_function('${PUBLISH}', function(keys, args)${PUBLISH_BODY}end)
redis.register_function{
  function_name = '${PAST}', flags = { 'allow-oom' }, callback = function(keys, args)${PAST_BODY}end
}
redis.register_function{
  function_name = '${RENEW}', flags = { 'allow-oom' }, callback = function(keys, args)${RENEW_BODY}end
}
`

/** Where the library is already, it stays: it knows its server. */
export async function loadAt(
  client: { sendCommand(args: readonly string[]): Promise<unknown> },
  library: string
): Promise<void> {
  try {
    await client.sendCommand(['FUNCTION', 'LOAD', library])
  } catch (error) {
    if (!reasonOf(error).includes('already exists')) throw error
  }
}
