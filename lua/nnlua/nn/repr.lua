-- How modules are printed: as PyTorch prints them.

local core = require "nnlua.nn.core"

local repr = {}

--- Indents all lines of a text but the first, and empty ones.
local function indented(text, indent)
  return (text:gsub("\n([^\n])", "\n" .. indent .. "%1"))
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

-- A text is a list of pieces, so that a deep model's is not copied at each level; and children are printed by recursion
-- of Lua alone, through no C function, whose calls nest only some 200 deep.

local function to_string(module)
  local pieces = {}
  module:_render(pieces, "")
  return table.concat(pieces)
end

--- Adds the text of a child at an indent.
local function add_text(pieces, child, indent)
  local own = child ~= nil and child.__tostring
  if not own then
    pieces[#pieces + 1] = "None"
  elseif own == to_string then
    child:_render(pieces, indent)
  else
    pieces[#pieces + 1] = indented(own(child), indent)
  end
end

local function add(pieces, ...)
  local n = #pieces
  for i = 1, select("#", ...) do
    pieces[n + i] = (select(i, ...))
  end
end

--- The text of a list: equal neighbours are one line, `(0-3): 4 x text`.
function repr.render_list(module, pieces, indent)
  local lines, last, first = {}, nil, 0
  local inner, attributes = indent .. "  ", core.attributes(module)
  for i, name in ipairs(core.slot_names(module, core.MODULE)) do
    local own = {}
    add_text(own, attributes[name], inner)
    local text = table.concat(own)
    if text == last then
      lines[#lines] = ("(%d-%d): %d x %s"):format(first, i - 1, i - first, text)
    else
      last, first = text, i - 1
      lines[#lines + 1] = ("(%s): %s"):format(name, text)
    end
  end
  add(pieces, module:_get_name(), "(")
  for _, line in ipairs(lines) do
    add(pieces, "\n", inner, line)
  end
  add(pieces, #lines > 0 and "\n" .. indent or "", ")")
end

function repr.install(Module)
  --- What is printed in the parentheses: "in_features=3, out_features=4". A class overrides it.
  ---     > Scale = nn.class "Scale"
  ---     > function Scale:init(factor) self.factor = factor end
  ---     > function Scale:extra_repr() return "factor=" .. self.factor end
  ---     > Scale(3)
  ---     Scale(factor=3)
  function Module:extra_repr()
    return ""
  end

  --- Adds the pieces of the module's text, whose lines after the first start with an indent.
  function Module:_render(pieces, indent)
    local extra, names = self:extra_repr(), core.slot_names(self, core.MODULE)
    local inner, attributes = indent .. "  ", core.attributes(self)
    if #names == 0 and not extra:find "\n" then
      return add(pieces, self:_get_name(), "(", extra, ")")
    end
    add(pieces, self:_get_name(), "(")
    for _, line in ipairs(extra ~= "" and lines_of(extra) or {}) do
      add(pieces, "\n", inner, line)
    end
    for _, name in ipairs(names) do
      add(pieces, "\n", inner, "(", name, "): ")
      add_text(pieces, attributes[name], inner)
    end
    add(pieces, "\n", indent, ")")
  end

  Module.__tostring = to_string
end

local words = {[true] = "True", [false] = "False"}

--- A float in the fewest digits that are read back as it.
function repr.shortest(v)
  local text
  for digits = 15, 17 do
    text = core.format("%." .. digits .. "g", v)
    if core.number(text) == v then break end
  end
  return text
end

--- A value as PyTorch prints it in such texts.
function repr.value(v)
  if type(v) == "boolean" then
    return words[v]
  elseif v == nil then
    return "None"
  elseif math.type(v) == "float" then
    local text = repr.shortest(v)
    return text:find "[.eni]" and text or text .. ".0"
  end
  return tostring(v)
end

return repr
