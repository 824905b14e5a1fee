-- The prompt's commands for variables: what there is, and taking it away.

local _ENV = require "nnlua.prompt.environment"()

local Screen = require "nnlua.prompt.screen"
local chunk = require "nnlua.prompt.chunk"
local core = require "nnlua.nn.core"
local pretty = require "nnlua.prompt.pretty"

local variables = {}

--- Bytes in a unit that suits them.
function variables.size_text(bytes)
  for _, unit in ipairs {"bytes", "KB", "MB"} do
    if bytes < 1024 then return core.format(unit == "bytes" and "%d %s" or "%.1f %s", bytes, unit) end
    bytes = bytes / 1024
  end
  return core.format("%.2f GB", bytes)
end

-- ------------------------------------------------------------------ a row

local function bytes_of(tensor)
  return tensor:numel() * tensor:element_size()
end

local function tensor_row(tensor)
  return tostring(tensor.dtype):match "[^.]+$" .. " tensor", #tensor.shape == 0 and "()" or
    table.concat(tensor.shape:totable(), "x"), variables.size_text(bytes_of(tensor))
end

local function module_row(net)
  local count, bytes = 0, 0
  for p in net:parameters() do
    if not core.is_tensor(p) then return core.class_name(net), "parameters not made yet", "" end
    count, bytes = count + p:numel(), bytes + bytes_of(p)
  end
  return core.class_name(net), ("%d parameters"):format(count), variables.size_text(bytes)
end

local function count_of(t)
  local count = 0
  for _ in next, t do count = count + 1 end
  return count == 1 and "1 entry" or count .. " entries"
end

--- A variable's type, shape or value, and size.
local function row_of(value)
  if core.is_tensor(value) then return tensor_row(value) end
  if core.is_module(value) then return module_row(value) end
  if type(value) == "string" then return "string", pretty.text(value, {}), variables.size_text(#value) end
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  if type(value) == "table" then return type(name) == "string" and name or "table", count_of(value), "" end
  return math.type(value) or type(value), pretty.text(value, {depth = 1}):match "^[^\n]*", ""
end

-- ----------------------------------------------------------------- a table

local function padded(text, width)
  return text .. (" "):rep(width - Screen.width_of(text))
end

--- A text of at most so many columns.
local function cut(text, width)
  if Screen.width_of(text) <= width then return text end
  local length = utf8.len(text)
  while length > 0 and Screen.width_of(text) > width - 1 do
    length = length - 1
    text = text:sub(1, utf8.offset(text, length + 1) - 1)
  end
  return text .. "…"
end

local GAP, NARROWEST, WIDEST_VALUE = 2, 8, 60

--- Rows as lines of at most so many columns: the third column, which may be any value, gives way, then the first two.
local function lines_of(rows, width)
  local widths, total = {0, 0, 0, 0}, 3 * GAP
  for _, row in ipairs(rows) do
    for i = 1, 4 do widths[i] = math.max(widths[i], Screen.width_of(row[i])) end
  end
  widths[3] = math.min(widths[3], WIDEST_VALUE)
  for i = 1, 4 do total = total + widths[i] end
  for _, i in ipairs {3, 2, 1} do
    local less = math.max(0, math.min(total - width, widths[i] - NARROWEST))
    widths[i], total = widths[i] - less, total - less
  end
  local lines = {}
  for _, row in ipairs(rows) do
    local cells = {}
    for i = 1, 4 do cells[i] = padded(cut(row[i], widths[i]), widths[i]) end
    lines[#lines + 1] = table.concat(cells, (" "):rep(GAP)):gsub("%s+$", "")
  end
  return lines
end

local function add_rows(rows, names, get)
  table.sort(names)
  for _, name in ipairs(names) do rows[#rows + 1] = {pretty.visible(name), row_of(get(name))} end
end

--- A table of a set of locals and, if a set of their names is given, of globals: names, types, shapes or values, sizes.
--- nil if there are none.
function variables.lines(locals, globals, width)
  local names, rows = {}, {{"name", "type", "shape", "size"}}
  for name in pairs(locals) do
    if not name:find "^_%d*$" then names[#names + 1] = name end
  end
  add_rows(rows, names, function(name) return chunk.get(locals, name) end)
  names = {}
  for name in pairs(globals or {}) do names[#names + 1] = name end
  add_rows(rows, names, function(name) return rawget(_G, name) end)
  if #rows > 1 then return lines_of(rows, width) end
end

-- ---------------------------------------------------------------- commands

--- The names of the globals that the session has made, as a set.
local function new_globals(session)
  local names = {}
  for name in next, _G do
    if type(name) == "string" and not session.globals[name] then names[name] = true end
  end
  return names
end

local function show_variables(session)
  local ok, lines = session:call(variables.lines, session.locals,
    not session.debugging and new_globals(session) or nil, session:width())
  if not ok then return session:report(lines) end
  if not lines then return session:note "there are no variables yet" end
  session:show(table.concat(lines, "\n"))
end

local function forget(session, text)
  if text == "" then
    for name in pairs(session.locals) do session.locals[name] = nil end
    session.frames, session.problem = nil, nil
  end
  for name in text:gmatch "[^%s,]+" do
    if session.locals[name] then session.locals[name] = nil
    else session:report(("no local variable of the session is called '%s'"):format(name)) end
  end
end

--- Adds the commands.
function variables.add_to(command)
  command("locals", ":locals", "lists the variables of the session: types, shapes, sizes", show_variables)
  command("forget", ":forget name …",
    "takes local variables of the session away; without a name all, and what :debug has", forget)
end

return variables
