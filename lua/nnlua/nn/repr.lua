-- How modules are printed: as PyTorch prints them.

local core = require "nnlua.nn.core"

local repr = {}

--- Indents all lines but the first.
local function indented(text)
  return (text:gsub("\n([^\n])", "\n  %1"))
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- A module's text from its name and the lines in its parentheses.
local function block(name, lines, one_line)
  if #lines == 0 then
    return name .. "()"
  elseif one_line then
    return name .. "(" .. lines[1] .. ")"
  end
  return name .. "(\n  " .. table.concat(lines, "\n  ") .. "\n)"
end

repr.block = block

local default

--- The text of a child: its class's own, or the usual one, without going through C, so that deep models print.
local function text_of(child)
  if child == nil then
    return "None"
  end
  local own = child.__tostring
  return own(child)
end

--- `(key): text` lines of the children.
function repr.child_lines(module)
  local lines = {}
  for i, name in ipairs(core.slot_names(module, core.MODULE)) do
    lines[i] = ("(%s): %s"):format(name, indented(text_of(core.attributes(module)[name])))
  end
  return lines
end

--- Like child_lines, with equal neighbours as one: `(0-3): 4 x text`.
function repr.merged_lines(module)
  local lines, last, first = {}, nil, 0
  for i, name in ipairs(core.slot_names(module, core.MODULE)) do
    local text = indented(text_of(core.attributes(module)[name]))
    if text == last then
      lines[#lines] = ("(%d-%d): %d x %s"):format(first, i - 1, i - first, text)
    else
      last, first = text, i - 1
      lines[#lines + 1] = ("(%s): %s"):format(name, text)
    end
  end
  return lines
end

function default(module)
  local extra = module:extra_repr()
  local lines = extra ~= "" and lines_of(extra) or {}
  local one_line = #lines == 1
  local children = repr.child_lines(module)
  table.move(children, 1, #children, #lines + 1, lines)
  return block(module:_get_name(), lines, one_line and #children == 0)
end

function repr.install(Module)
  --- What is printed in the parentheses: "in_features=3, out_features=4". A class overrides it.
  function Module:extra_repr()
    return ""
  end

  Module.__tostring = default
end

local words = {[true] = "True", [false] = "False"}

--- A value as PyTorch prints it in such texts.
function repr.value(v)
  if type(v) == "boolean" then
    return words[v]
  elseif v == nil then
    return "None"
  elseif math.type(v) == "float" then
    local text = ("%.15g"):format(v)
    text = tonumber(text) == v and text or ("%.17g"):format(v)
    return text:find "[.eni]" and text or text .. ".0"
  end
  return tostring(v)
end

return repr
