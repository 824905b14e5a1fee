-- The `---` comments of the library's own Lua sources: where functions and classes are described.

local core = require "nnlua.nn.core"
local system = require "nnlua.system"

local comments = {}

--- The type at the beginning of a tag's text, which may have blanks in brackets and behind a colon, and what follows.
local function type_and_text(rest)
  local depth, last = 0, ""
  for at = 1, #rest do
    local c = rest:sub(at, at)
    if c == " " and depth == 0 and last ~= ":" then return rest:sub(1, at - 1), rest:sub(at + 1):match "^%s*(.*)$" end
    depth = depth + (c:find "[<({%[]" and 1 or c:find "[>)}%]]" and -1 or 0)
    last = c
  end
  return rest, ""
end

--- A comment as a description: `text` (its lines without tags), `params`, `returns`,
--- `fields` (from LuaLS tags), `parent`.
local function parse(lines)
  local doc = {text = {}, params = {}, returns = {}, fields = {}}
  for _, line in ipairs(lines) do
    local tag, rest = line:match "^@(%a+)%s*(.*)$"
    if tag == "param" then
      local name, more = rest:match "^(%S+)%s*(.*)$"
      local kind, text = type_and_text(more)
      table.insert(doc.params, {name = name, kind = kind, text = text})
    elseif tag == "return" then
      table.insert(doc.returns, rest)
    elseif tag == "field" then
      local name, more = rest:match "^(%S+)%s+(.*)$"
      local kind, text = type_and_text(more)
      table.insert(doc.fields, {name = name, kind = kind, text = text})
    elseif tag == "class" then
      doc.class, doc.parent = rest:match "^([%w_.]+)%s*:?%s*([%w_.]*)"
    elseif not tag then
      table.insert(doc.text, (line:gsub("^ ", "", 1)))
    end
  end
  doc.text = table.concat(doc.text, "\n"):gsub("^\n+", ""):gsub("%s+$", "")
  return doc
end

--- What a line defines: a function, what is assigned, what a call makes under a name.
local function definition(line)
  local name, arguments = line:match "^%s*function%s+([%w_.:]+)%s*%((.-)%)"
  if name then return "function", name, (arguments:gsub(",%s+", ", ")) end
  name, arguments = line:match "^%s*local%s+function%s+([%w_]+)%s*%((.-)%)"
  if name then return "function", name, arguments end
  name = line:match "^%s*([%a_][%w_.]*)%s*=" or line:match "^%s*local%s+([%a_][%w_]*)%s*="
  name = name or line:match '^%s*[%w_.]+%s*%(%s*"([%w_]+)"'
  if name then return "value", name end
end

--- All descriptions of a source: a list of `{kind, name, arguments, line, doc}`, also for functions without a comment.
--- A comment with a tag for a class describes that one, by its short name.
local function scan(text)
  local found, lines, number = {}, {}, 0
  local head, begun -- a definition whose arguments go on in the next line, and the line that it began in
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local comment = line:match "^%s*%-%-%-(.*)$"
    line, begun, head = (head or "") .. line, head and begun or number, nil
    if comment then
      lines[#lines + 1] = comment
    elseif line:find "^function[^)]*,$" then
      head = line
    elseif #lines > 0 or line:find("function", 1, true) then
      local doc = #lines > 0 and parse(lines)
      local kind, name, arguments = definition(line)
      if doc and doc.class then kind, name = "class", doc.class end
      if doc and not kind and line:find "^return function" then -- a file that gives one function
        kind, name, arguments = "function", "", line:match "%((.-)%)"
      end
      if kind == "function" or kind and doc then
        table.insert(found, {kind = kind, name = name, arguments = arguments, line = begun, doc = doc})
      end
      lines = {}
    end
  end
  return found
end

--- The descriptions of a text of Lua.
comments.scan = scan

local scanned = {}

--- The descriptions of a source of the library, by the name that debug.getinfo gives it.
function comments.of_source(name)
  if not scanned[name] then
    local text = system.source(name)
    scanned[name] = text and scan(text) or {}
  end
  return scanned[name]
end

--- The description of a Lua function of the library, found by the line that it is defined in; or nil.
function comments.of_function(f)
  local info = debug.getinfo(core.unguarded(f), "S")
  local name = info.source:match "^@(nnlua/.*)$"
  for _, one in ipairs(name and comments.of_source(name) or {}) do
    if one.kind == "function" and one.line == info.linedefined then return one end
  end
end

local classes, values

local function index_all()
  classes, values = {}, {}
  for _, name in ipairs(system.source()) do
    for _, one in ipairs(comments.of_source(name)) do
      if one.kind == "class" then classes[one.name] = one end
      if one.kind == "value" then values[one.name] = one end
    end
  end
end

--- The description of a class by its full name, "nn.Linear".
function comments.of_class(name)
  if not classes then index_all() end
  return classes[name:match "[^.]+$"]
end

--- The description of what is assigned to a name, "nn.Buffer", or to its last parts.
function comments.of_value(name)
  if not values then index_all() end
  while name and not values[name] do name = name:match "^[^.]+%.(.*)$" end
  return values[name]
end

return comments
