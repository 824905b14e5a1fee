-- Any value as the prompt shows it: tables with what is in them, tensors and modules with a line about them.

local _ENV = require "nnlua.prompt.environment"()

local core = require "nnlua.nn.core"
local on_demand = require "nnlua.on_demand"
local tokens = require "nnlua.prompt.tokens"

local pretty = {}

local metatable_of = debug.getmetatable
local LONGEST_TEXT, TINY_TENSOR = 200, 6

-- ---------------------------------------------------------------- scalars

local function code_of(c)
  return ("\\x%02x"):format(c:byte())
end

--- A text in which nothing acts on a terminal: control characters are shown by their codes, but for line ends and tabs
--- if those are to stay, and so are bytes that are no UTF-8.
function pretty.visible(text, keeps_lines)
  text = text:gsub(keeps_lines and "[\0-\8\11-\31\127]" or "[\0-\31\127]", code_of)
  if not utf8.len(text) then return (text:gsub("[\128-\255]", code_of)) end
  return (text:gsub("\xC2([\x80-\x9F])", function(c) return ("\\u{%x}"):format(c:byte()) end))
end

--- A string as Lua would write it, on one line; a long one is cut off.
function pretty.quoted(text, longest)
  longest = longest or LONGEST_TEXT
  local cut = #text > longest and text:sub(1, longest) or text
  while not utf8.len(cut) and #text > longest and #cut > longest - 4 and utf8.len(text) do
    cut = cut:sub(1, -2)
  end
  local body = cut:gsub('[\\"]', "\\%0"):gsub("\n", "\\n"):gsub("\t", "\\t"):gsub("\r", "\\r")
  body = pretty.visible(body)
  if #cut < #text then return ('"%s"… (%d bytes)'):format(body, #text) end
  return '"' .. body .. '"'
end

--- What a value says of itself through __tostring; an error there is told.
local function own_text(value)
  local ok, text = pcall(core.format, "%s", value) -- as tostring, with a point in numbers
  if ok then return text end
  return ("(__tostring raised %s)"):format(type(text) == "string" and text or type(text))
end

--- Whether a value's text is a drawing for the terminal, which is shown as it is: that of a figure.
function pretty.draws(value)
  local meta = metatable_of(value)
  return type(meta) == "table" and rawget(meta, "__draws") == true
end

local function function_text(f)
  local info = debug.getinfo(core.unguarded(f), "S")
  if info.what == "C" then return "function (C)" end
  return ("function (%s:%d)"):format(pretty.visible(info.short_src), info.linedefined)
end

local function tensor_text(x)
  if x.ndim <= 1 and x:numel() <= TINY_TENSOR and not x.is_meta then return (tostring(x):gsub("\n%s*", " ")) end
  return ("tensor(%s %s)"):format(#x.shape == 0 and "()" or table.concat(x.shape:totable(), "x"),
    tostring(x.dtype):match "[^.]+$")
end

local function own_name(value)
  local name = rawget(metatable_of(value), "__name")
  return type(name) == "string" and pretty.visible(name) or type(value)
end

--- A value on one line, whatever it is; of a table only what it is.
local function short_text(value)
  local kind = type(value)
  if kind == "string" then return pretty.quoted(value) end
  if kind == "function" then return function_text(value) end
  if core.is_tensor(value) then return tensor_text(value) end
  if core.is_module(value) then return pretty.visible(core.class_name(value)) .. "(…)" end
  if pretty.draws(value) then return own_name(value) end
  return pretty.visible((own_text(value):gsub("\n.*", " …")))
end

-- ----------------------------------------------------------------- tables

--- Whether a table is shown by what is in it: it has no words of its own.
local function is_plain(value)
  if type(value) ~= "table" then return false end
  local meta = metatable_of(value)
  return not (type(meta) == "table" and rawget(meta, "__tostring") ~= nil)
end

local function is_identifier(key)
  return type(key) == "string" and key:find "^[%a_][%w_]*$" ~= nil and not tokens.keywords[key]
end

local function key_text(key)
  if is_identifier(key) then return key end
  return "[" .. short_text(key) .. "]"
end

local function by_name(a, b)
  if type(a) ~= type(b) then return type(a) < type(b) end
  if type(a) == "number" or type(a) == "string" then return a < b end
  return false
end

--- The keys of a table that are shown: positions 1 to n, then the others, names first, in order; how many there are.
local function keys_of(value, most)
  local n, count, others = rawlen(value), 0, {}
  if on_demand.names(value) then pairs(value) end -- reads what it still lacks
  for key in next, value do
    count = count + 1
    local is_position = math.type(key) == "integer" and key >= 1 and key <= n
    if not is_position and #others < 10 * most then others[#others + 1] = key end
  end
  local names, rest = {}, {}
  for _, key in ipairs(others) do
    local list = type(key) == "string" and names or rest
    list[#list + 1] = key
  end
  table.sort(names)
  table.sort(rest, by_name)
  local keys = {}
  for i = 1, math.min(n, most) do keys[i] = i end
  for _, list in ipairs {names, rest} do
    for _, key in ipairs(list) do
      if #keys < most then keys[#keys + 1] = key end
    end
  end
  return keys, count, n
end

local render

--- The entries of a table as texts.
local function entry_texts(view, value, depth, indent)
  local keys, count, n = keys_of(value, view.items)
  local texts, has_lines = {}, false
  for _, key in ipairs(keys) do
    local text = render(view, rawget(value, key), depth + 1, indent .. "  ")
    if not (math.type(key) == "integer" and key >= 1 and key <= n) then text = key_text(key) .. " = " .. text end
    has_lines = has_lines or text:find "\n" ~= nil
    texts[#texts + 1] = text
  end
  if count > #keys then texts[#texts + 1] = ("… %d more"):format(count - #keys) end
  return texts, has_lines
end

local function table_name(value)
  local meta = metatable_of(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and pretty.visible(name) .. " " or ""
end

local function render_table(view, value, depth, indent)
  local name = table_name(value)
  if view.above[value] then return name .. "{…: a table above}" end
  if next(value) == nil then return name .. "{}" end
  if depth >= view.depth then return name .. "{…}" end
  view.above[value] = true
  local texts, has_lines = entry_texts(view, value, depth, indent)
  view.above[value] = nil
  local line = name .. "{" .. table.concat(texts, ", ") .. "}"
  if not has_lines and #indent + (utf8.len(line) or #line) <= view.width then return line end
  local inner = "\n" .. indent .. "  "
  return name .. "{" .. inner .. table.concat(texts, "," .. inner) .. ",\n" .. indent .. "}"
end

function render(view, value, depth, indent)
  if is_plain(value) then return render_table(view, value, depth, indent) end
  return short_text(value)
end

-- ---------------------------------------------------------------- footers

local function tensor_footer(x)
  local parts = {#x.shape == 0 and "()" or table.concat(x.shape:totable(), "x"), tostring(x.dtype):match "[^.]+$"}
  if x.requires_grad then parts[#parts + 1] = "requires_grad" end
  return "[" .. table.concat(parts, " ") .. "]"
end

local function with_commas(n)
  local text = tostring(n)
  repeat
    local changed
    text, changed = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until changed == 0
  return text
end

local function module_footer(net)
  local count, trainable = 0, 0
  for p in net:parameters() do
    if not core.is_tensor(p) then return "[parameters not made yet]" end
    count = count + p:numel()
    if p.requires_grad then trainable = trainable + p:numel() end
  end
  if trainable == count then return ("[%s parameters]"):format(with_commas(count)) end
  return ("[%s parameters, %s of them trained]"):format(with_commas(count), with_commas(trainable))
end

--- A line about a value, or nil.
local function footer(value)
  if core.is_tensor(value) and value.ndim > 0 then return tensor_footer(value) end
  if core.is_module(value) then
    local ok, text = pcall(module_footer, value)
    return ok and text or nil
  end
end

--- A value as text. Options: `width` of lines (80), `depth` of tables (4), `items` of each (50), `footers` (a line
--- about a tensor or module), `colours` for that, `longest` (the bytes of a string that are shown).
function pretty.text(value, options)
  local view = {width = options.width or 80, depth = options.depth or 4, items = options.items or 50, above = {}}
  if is_plain(value) then return render_table(view, value, 0, "") end
  if type(value) == "function" then return function_text(value) end
  if type(value) == "string" then return pretty.quoted(value, options.longest) end
  if pretty.draws(value) then return own_text(value) end
  local text = pretty.visible(own_text(value), true)
  local line = options.footers and footer(value)
  if not line then return text end
  return text .. "\n" .. (options.colours and "\27[2m" .. line .. "\27[0m" or line)
end

return pretty
