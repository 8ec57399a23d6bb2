import { createHash } from 'node:crypto'

export interface Script {
  readonly text: string
  readonly sha: string
}

/**
 * What the scripts begin with: the channel's epoch and offset. A channel that Redis does not have, or does not have any more, gets
 * an epoch that no other has: 8 bytes of the instance that asks and 8 of the time in microseconds.
 *
 *     KEYS[1]  a hash: e, the epoch, and o, the offset of the last message
 *     KEYS[2]  a stream: the messages that are kept; their ids are their offsets
 *     ARGV[1]  16 hexadecimal digits of the instance
 *     ARGV[2]  for how long the hash outlives its last use, in milliseconds
 */
const PLACE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'e', 'o')
local epoch, offset = state[1], tonumber(state[2])
if not epoch or not offset then
  epoch = ARGV[1] .. string.format('%016x', time[1] * 1000000 + time[2])
  offset = 0
  redis.call('HSET', KEYS[1], 'e', epoch, 'o', 0)
  redis.call('DEL', KEYS[2])
end
`
const LIVE_ON = `redis.call('PEXPIRE', KEYS[1], ARGV[2])`

/**
 * Gives a message its place, keeps it and publishes it, so that history and live delivery agree.
 *
 *     KEYS[3]  what was answered to the idempotency key, and a blank and the id of the message that had it
 *     ARGV[3]  how many messages are kept; 0: none
 *     ARGV[4]  for how long, in milliseconds
 *     ARGV[5]  PUBLISH or SPUBLISH
 *     ARGV[6]  the channel to publish to
 *     ARGV[7]  the body
 *     ARGV[8]  for how long the idempotency key holds, in milliseconds; 0: there is none
 *     ARGV[9]  the id of the message, where it has a key
 *
 * The first command that writes is one that Redis refuses when it is out of memory: once a script has written, it lets it do so.
 * Too old messages are looked for with every sixteenth one only: it costs as much as the rest.
 */
export const PUBLISH: Script = script(`
if ARGV[8] ~= '0' then
  local known = redis.call('GET', KEYS[3])
  if known then return known end
end
${PLACE}
offset = redis.call('HINCRBY', KEYS[1], 'o', 1)
${LIVE_ON}
local rest = struct.pack('>I8I8', now, offset) .. ARGV[7]
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[2])
else
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], string.format('%.0f-0', offset), 'm', rest)
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  if offset % 16 == 0 then
    local last
    for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 64)) do
      if struct.unpack('>I8', entry[2][2]) >= now - ARGV[4] then break end
      last = entry[1]
    end
    if last then redis.call('XTRIM', KEYS[2], 'MINID', last) end
  end
end
redis.call(ARGV[5], ARGV[6], epoch .. rest)
local answer = epoch .. string.format('%.0f', offset)
if ARGV[8] ~= '0' then 
  answer = answer .. ' ' .. ARGV[9]
  redis.call('SET', KEYS[3], answer, 'PX', ARGV[8])
end
return answer
`)

/**
 * A part of the channel's past.
 *
 *     ARGV[3]  the epoch of ARGV[4], or nothing: whatever it is
 *     ARGV[4]  the messages behind this offset; nothing: the last ones
 *     ARGV[5]  at most so many, 0: none
 *     ARGV[6]  and so many bytes, but one in any case
 *     ARGV[7]  how many messages the channel keeps
 *
 * Answers the epoch, the offset, the time in milliseconds, and messages.
 */
export const PAST: Script = script(`
${PLACE}
${LIVE_ON}
local answer = { epoch, string.format('%.0f', offset), string.format('%.0f', now) }
local limit, most = tonumber(ARGV[5]), tonumber(ARGV[6])
if limit == 0 then return answer end
local after = tonumber(ARGV[4]) or offset - limit
if ARGV[3] ~= '' and ARGV[3] ~= epoch then after = 0 end
after = math.max(after, offset - ARGV[7], 0)
local count, bytes = 0, 0
while count < limit do
  local asked = math.min(100, limit - count)
  local entries = redis.call('XRANGE', KEYS[2], '(' .. string.format('%.0f', after) .. '-0', '+', 'COUNT', asked)
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
`)

/** Begins a channel anew that has the epoch of ARGV[3] and is before the offset of ARGV[4]. */
export const RENEW: Script = script(`
${PLACE}
if epoch ~= ARGV[3] or offset >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'e', ARGV[1] .. string.format('%016x', time[1] * 1000000 + time[2]), 'o', 0)
redis.call('DEL', KEYS[2])
return 1
`)

export const SCRIPTS: readonly Script[] = [PUBLISH, PAST, RENEW]

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
