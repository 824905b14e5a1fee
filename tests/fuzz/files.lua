-- Files: damaged ones of each format that is read, and saves that end in the middle.
local nl = require "nnlua"
local process = require "support.process"
local values = require "fuzz.values"

local data = nl.utils.data

local function write(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes)
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- --------------------------------------------------------------------- damage

local function number_text(draw) return tostring(draw:weighted {{3, values.integer(draw)}, {1, values.float(draw)}}) end

-- Ways to damage bytes: of one byte, of a number in the text, of a part.
local damages = {
  function(s, draw, at) return s:sub(1, at - 1) .. string.char(draw:integer(0, 255)) .. s:sub(at + 1) end,
  function(s, draw, at)
    return s:sub(1, at - 1) .. string.char(s:byte(at) ~ (1 << draw:integer(0, 7))) .. s:sub(at + 1)
  end,
  function(s, _, at) return s:sub(1, at) end,
  function(s, draw, at) return s:sub(1, at) .. s:sub(at + draw:integer(1, 9)) end,
  function(s, draw, at) return s:sub(1, at) .. s:sub(draw:integer(1, at), at) .. s:sub(at + 1) end,
  function(s, draw) return (s:gsub("%d+", function(d) return draw:chance(0.3) and number_text(draw) or d end)) end,
  function(s, draw, at)
    return s:sub(1, at) .. draw:pick {"\0", "{", "}", '"', ",", "\n", "[", "\xff"} .. s:sub(at + 1)
  end,
  function(s, draw) return s .. ("x"):rep(draw:integer(1, 20)) end,
}

local function damaged(draw, bytes)
  for _ = 1, draw:integer(1, 3) do
    if #bytes == 0 then break end
    local most = draw:chance(0.6) and math.min(#bytes, 80) or #bytes
    bytes = draw:pick(damages)(bytes, draw, draw:integer(1, most))
  end
  return bytes
end

-- -------------------------------------------------------------------- tensors

local function value_of(program)
  local draw = program.draw
  return draw:pick {
    function() return {a = program:tensor(), b = program:tensor()} end,
    function() return {{program:tensor()}, {n = 3, text = "é", half = 0.5, none = nl.none}} end,
    function() return program:tensor() end,
    function() return {values.any(draw) or 1} end,
  } ()
end

local function load_damaged(program)
  local path, draw = os.tmpname(), program.draw
  local ok = program:call("save", nl.save, {path, value_of(program), {format = draw:pick {"safetensors", "pt", "npz"}}})
  if ok then
    write(path, damaged(draw, read(path)))
    program:call("load", nl.load, {path, {mmap = draw:chance(0.3)}})
  end
  os.remove(path)
end

-- ------------------------------------------------------------------------ csv

local fields = {
  "1", "-2", "0.5", "1e308", "1e999", "nan", "inf", "", " 3", '"4"', '"5', "x", "0x10", "9223372036854775808",
}

local function csv_text(draw)
  local lines, columns = {}, draw:integer(1, 4)
  for i = 1, draw:integer(0, 6) do
    local line = {}
    for k = 1, columns do line[k] = draw:chance(0.8) and number_text(draw) or draw:pick(fields) end
    lines[i] = table.concat(line, ",")
  end
  return table.concat(lines, draw:pick {"\n", "\r\n"}) .. draw:pick {"", "\n"}
end

local function compressed(path)
  process.run {"gzip", "-f", path}
  os.rename(path .. ".gz", path)
end

local function read_damaged_csv(program)
  local draw, path = program.draw, os.tmpname()
  write(path, csv_text(draw))
  if draw:chance(0.3) then compressed(path) end
  if draw:chance(0.7) then write(path, damaged(draw, read(path))) end
  local options = draw:chance(0.5) and {dtype = values.dtype(draw)} or {skip_rows = draw:integer(-1, 3)}
  local ok, results = program:call("read_csv", data.read_csv, {path, options})
  os.remove(path)
  if ok then program:keep(results[1]) end
end

-- ----------------------------------------------------------------------- kill

-- A process that saves 1s, 2s and so on until it is killed: 100,000 of them, so that most of its time goes to writing.
local saver = [[
  local nl, path = require "nnlua", %q
  for i = 1, 1 << 30 do nl.save(path, {w = nl.full({100000}, i)}) end
]]

--- A save that kill -9 ends leaves the file of the save before, whole; and the next save leaves nothing else behind.
local function kill_while_saving(program)
  if not program.draw:chance(0.1) then return end -- it takes as long as hundreds of others
  local path = os.tmpname()
  nl.save(path, {w = nl.zeros(100000)})
  local seconds = program.draw:integer(20, 90) / (process.is_sanitized() and 50 or 1000)
  process.run {"timeout", "-s", "KILL", ("%.3f"):format(seconds), process.nnlua, "-e", saver:format(path)}
  local w = nl.load(path).w
  if not w:eq(w[1]):all():item() then program:complain "kill -9 in the middle of a save left a part of it" end
  local left
  for _ = 1, 50 do -- a process that is killed may live on for a while, and what it has is not to be touched
    nl.save(path, {w = w})
    left = process.run {"sh", "-c", "ls -d " .. path .. "*"}.stdout
    if left == path .. "\n" then break end
    process.run {"sleep", "0.1"}
  end
  if left ~= path .. "\n" then program:complain("killed saves left " .. left:gsub("\n", " ")) end
  os.remove(path)
end

return {{3, load_damaged}, {3, read_damaged_csv}, {1, kill_while_saving}}
