-- Runs under wrk, in one thread:
--   wrk -t 1 -c C -s wrk.lua URL -- C <requests in a batch> <window seconds> <longest lead> <server pid> <server core>
--
-- wrk times its whole run, connecting included, and a busy server takes seconds to accept thousands of connections.
-- This script marks the beginning and the end of a window instead, once all connections are in use: how many requests
-- were sent by then, what time it was and how much CPU the server had used, all three read at one moment. It ends the
-- run with the window, and done() prints the marks as one line of JSON.

local ffi = require('ffi')
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *time);
  int getpid(void);
  int kill(int pid, int signal);
]]
local CLOCK_MONOTONIC = 1
local SIGINT = 2
local now_buffer = ffi.new('bench_time')

-- Reading the clock for one batch in 16 is precise to a few milliseconds for the slowest server and costs nothing.
local BATCHES_PER_LOOK = 16

local SHORTEST_LEAD = 0.5
local SECONDS_BETWEEN_COUNTS = 0.25

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  connections = tonumber(args[1])
  depth = tonumber(args[2])
  window = tonumber(args[3])
  pid = args[5]
  core = args[6]

  local requests = {}
  for i = 1, depth do requests[i] = wrk.format() end
  batch = table.concat(requests)

  sent = 0
  batches_to_look = BATCHES_PER_LOOK
  look = look_for_begin
  files_before = count_files()
  connected = 0
  next_count = now() + SHORTEST_LEAD
  last_begin = now() + tonumber(args[4])
end

-- Called for every batch.
function request()
  sent = sent + depth
  batches_to_look = batches_to_look - 1
  if batches_to_look == 0 then
    batches_to_look = BATCHES_PER_LOOK
    look(now())
  end
  return batch
end

function look_for_begin(time)
  if time < next_count then return end
  next_count = time + SECONDS_BETWEEN_COUNTS
  connected = count_files() - files_before
  local all_sent = connected >= connections and sent >= connections * depth
  if not all_sent and time < last_begin then return end
  time = now()
  mark('begin', time)
  ends_at = time + window
  look = look_for_finish
end

function look_for_finish(time)
  if time < ends_at then return end
  mark('finish', time)
  look = look_no_more
  -- wrk takes it as the end of its duration.
  ffi.C.kill(ffi.C.getpid(), SIGINT)
end

function look_no_more() end

-- Globals of a thread are what done() can read of it, and only plain values among them.
function mark(name, time)
  _G[name .. '_seconds'] = time
  _G[name .. '_sent'] = sent
  _G[name .. '_server'] = line_of('/proc/' .. pid .. '/stat', '')
  _G[name .. '_core'] = line_of('/proc/stat', core .. ' ')
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"begin":%s,"finish":%s,"connected":%d,"responses":%d,"connectErrors":%d,"readErrors":%d,"writeErrors":%d,' ..
    '"timeouts":%d,"badStatuses":%d,"p50":%.3f,"p99":%.3f}\n',
    mark_of('begin'), mark_of('finish'), threads[1]:get('connected'), summary.requests, errors.connect, errors.read,
    errors.write, errors.timeout, errors.status, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end

function mark_of(name)
  local thread = threads[1]
  local seconds = thread:get(name .. '_seconds')
  if seconds == nil then return 'null' end
  return string.format('{"seconds":%.6f,"sent":%d,"serverStat":"%s","coreStat":"%s"}', seconds,
    thread:get(name .. '_sent'), escape(thread:get(name .. '_server')), escape(thread:get(name .. '_core')))
end

function now()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, now_buffer)
  return tonumber(now_buffer.seconds) + tonumber(now_buffer.nanoseconds) / 1e9
end

-- Of the server: connections that it has accepted, beside the files it had open before.
function count_files()
  local pipe = io.popen('ls -U /proc/' .. pid .. '/fd | wc -l')
  local count = tonumber(pipe:read('*l'))
  pipe:close()
  return count
end

function line_of(path, start)
  local found = ''
  local file = io.open(path)
  if file == nil then return found end
  for line in file:lines() do
    if line:sub(1, #start) == start then
      found = line
      break
    end
  end
  file:close()
  return found
end

function escape(text)
  return (text:gsub('[\\"]', '\\%0'))
end
