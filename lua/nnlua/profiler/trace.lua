-- A profile as a trace: the JSON that Chrome's about:tracing and Perfetto open.

local json = require "nnlua.files.json"
local nn_core = require "nnlua.nn.core"

local raise, format = nn_core.raise, nn_core.format

-- The numbers of tracks, behind those of coroutines: of the pool's threads, and of transfers between processes.
local POOL <const>, TRANSFERS <const> = 1000, 2000

local function quoted(text)
  if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
  return json.string(text)
end

local categories = {
  op = "cpu_op", node = "backward", call = "cpu_op", range = "user_annotation", module = "module", line = "line",
  transfer = "transfer",
}

local function line_text(row)
  return ("%s:%d"):format(row.name, row.line)
end

local function shapes_text(row)
  local texts = {}
  for _, one in ipairs(row.sizes) do
    if one.argument > 0 then texts[#texts + 1] = "[" .. table.concat(one.shape, ",") .. "]" end
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

--- What of an event's text is the same for all events of a row.
local function beginnings_of(rows)
  local texts = {}
  for i, row in ipairs(rows) do
    local sizes = row.sizes and (',"Input Dims":' .. shapes_text(row)) or ""
    texts[i] = {
      ('{"ph":"X","pid":1,"cat":"%s","name":%s'):format(categories[row.kind], quoted(row.name)),
      sizes, row.kind == "line" and quoted(line_text(row)) or quoted(row.name),
    }
  end
  return texts
end

local function thread_names(lanes, threads, transfers)
  local texts = {}
  local function name(tid, text)
    texts[#texts + 1] = ('{"ph":"M","pid":1,"tid":%d,"name":"thread_name","args":{"name":"%s"}}'):format(tid, text)
    texts[#texts + 1] = ('{"ph":"M","pid":1,"tid":%d,"name":"thread_sort_index","args":{"sort_index":%d}}'):format(
      tid, tid)
  end
  for lane = 0, lanes do name(lane, lane == 0 and "Lua" or "coroutine " .. lane) end
  for thread = 1, threads do name(POOL + thread, "thread " .. thread + 1) end
  for track = 1, transfers do name(TRANSFERS + track, track == 1 and "transfers" or "transfers " .. track) end
  return texts
end

--- The tracks of events that are transfers, by their numbers: one that begins while another is on its way has another
--- track than that. Also how many there are.
local function transfer_tracks(core, profile, rows)
  local transfers, tracks, ends = {}, {}, {}
  for i = 1, math.maxinteger do
    local begin, duration, _, row = core.event(profile, i)
    if not begin then break end
    if rows[row].kind == "transfer" then table.insert(transfers, {i = i, begin = begin, stop = begin + duration}) end
  end
  table.sort(transfers, function(a, b) return a.begin < b.begin or a.begin == b.begin and a.i < b.i end)
  for _, one in ipairs(transfers) do
    local track = 1
    while ends[track] and ends[track] > one.begin do track = track + 1 end
    tracks[one.i], ends[track] = TRANSFERS + track, one.stop
  end
  return tracks, #ends
end

--- The first moment of a profile.
local function origin_of(core, profile)
  local first
  for i = 1, math.maxinteger do
    local begin = core.event(profile, i)
    if not begin then return first or 0 end
    if not first or begin < first then first = begin end
  end
end

--- Writes the trace of a core's profile to a file.
return function(core, profile, path)
  local file, problem = io.open(path, "wb")
  if not file then raise(("export_chrome_trace: %s"):format(problem)) end
  local _ <close> = file
  local function check(done, why)
    if not done then raise(("export_chrome_trace: %s: %s"):format(path, why)) end
  end
  local function write(...) check(file:write(...)) end
  local rows = core.rows(profile)
  local texts, origin, lanes, threads = beginnings_of(rows), origin_of(core, profile), 0, 0
  local tracks, transfers = transfer_tracks(core, profile, rows)
  write '{"displayTimeUnit":"ms","traceEvents":[\n{"ph":"M","pid":1,"name":"process_name","args":{"name":"nnlua"}}'
  for i = 1, math.maxinteger do
    local begin, duration, bytes, row, module, line, lane, thread = core.event(profile, i)
    if not begin then break end
    lanes, threads = math.max(lanes, lane), math.max(threads, thread)
    local text = texts[row]
    write(",\n", text[1], format(',"tid":%d,"ts":%.3f,"dur":%.3f,"args":{"Bytes":%d',
      tracks[i] or thread > 0 and POOL + thread or lane, (begin - origin) / 1000, duration / 1000, bytes), text[2])
    if module > 0 then write(',"Module":', texts[module][3]) end
    if line > 0 then write(',"Line":', texts[line][3]) end
    write "}}"
  end
  for _, text in ipairs(thread_names(lanes, threads, transfers)) do write(",\n", text) end
  write "\n]}\n"
  check(file:close())
end
