-- What nn.summary gives: the layers and what they add up to, as cells of a table and as a text.

local averages = require "nnlua.profiler.averages"
local class = require "nnlua.class"
local columns = require "nnlua.profiler.columns"

--- What nn.summary gives; it prints as a table. `total_mult_adds` is nil, and bytes are those of the parameters alone,
--- where no input was given. `layers` has a table for each module: its `name`, `class`, `depth` (0: the network),
--- `input_size` and `output_size` of its first call (lists of shapes), `params` and `trainable_params` with those of
--- the modules inside, `mult_adds` likewise, `output_bytes`, `calls`, and `shared`: it stands further up too.
---@class Summary
---@field total_params integer
---@field trainable_params integer
---@field total_mult_adds? integer
---@field total_input_bytes integer
---@field total_output_bytes integer
---@field total_param_bytes integer
---@field layers table[]
local Summary = class.new "nn.Summary"

function Summary:init(fields)
  for name, value in pairs(fields) do self[name] = value end
end

-- ----------------------------------------------------------------- cells

local function count_text(n)
  local text = tostring(n):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

local function shapes_text(shapes)
  if not shapes or #shapes == 0 then return "-" end
  local texts = {}
  for i, shape in ipairs(shapes) do texts[i] = "[" .. table.concat(shape, ", ") .. "]" end
  return table.concat(texts, " ", 1, math.min(#texts, 2)) .. (#texts > 2 and " …" or "")
end

--- A layer's parameters: those that are frozen stand in parentheses.
local function params_text(layer, is_cut)
  if layer.shared then return "shared" end
  local n = is_cut and layer.params or layer.own_params
  if n == 0 then return "-" end
  return layer.trainable_params == 0 and "(" .. count_text(n) .. ")" or count_text(n)
end

local function mult_adds_text(layer, is_cut)
  local n = not layer.shared and (is_cut and layer.mult_adds or layer.own_mult_adds) or 0
  return n > 0 and count_text(n) or "-"
end

local table_columns = {
  {title = "Layer", is_text = true}, {title = "Output", rank = 2, is_text = true}, {title = "Params", rank = 1},
  {title = "Mult-adds", rank = 3}, {title = "Input", rank = 5, is_text = true}, {title = "Memory", rank = 4},
  {title = "Calls", rank = 6}, {title = "Trainable", rank = 7},
}

local function trainable_text(layer)
  if layer.params == 0 then return "-" end
  if layer.trainable_params == layer.params then return "yes" end
  return layer.trainable_params == 0 and "no" or "partly"
end

--- The lines before a layer's name that show which one it is in.
local function branches(layers)
  local texts, open = {}, {}
  for i = #layers, 1, -1 do
    local depth, text = layers[i].depth, {}
    for d = 1, depth - 1 do text[d] = open[d] and "│ " or "  " end
    if depth > 0 then text[depth] = open[depth] and "├─" or "└─" end
    texts[i] = table.concat(text) .. (depth > 0 and " " or "")
    open[depth] = true
    for d = depth + 1, #open do open[d] = nil end
  end
  return texts
end

local function shown_layers(self)
  local list = {}
  for _, layer in ipairs(self.layers) do
    if layer.depth <= self._depth then list[#list + 1] = layer end
  end
  return list
end

--- What the layers add up to: pairs of a name and a text.
function Summary:_facts()
  local bytes_text = averages.bytes_text
  local facts = {
    {"Total params", count_text(self.total_params)}, {"Trainable params", count_text(self.trainable_params)},
    {"Non-trainable params", count_text(self.total_params - self.trainable_params)},
  }
  if self.total_mult_adds then
    facts[#facts + 1] = {"Total mult-adds", count_text(self.total_mult_adds)}
    facts[#facts + 1] = {"Input size", bytes_text(self.total_input_bytes)}
    facts[#facts + 1] = {"Forward/backward pass size", bytes_text(self.total_output_bytes)}
  end
  facts[#facts + 1] = {"Params size", bytes_text(self.total_param_bytes)}
  if self.total_mult_adds then
    facts[#facts + 1] = {"Estimated total size",
      bytes_text(self.total_input_bytes + self.total_output_bytes + self.total_param_bytes)}
  end
  return facts
end

--- The layers down to the depth that is shown: titles of columns (see profiler.columns), rows of cells, and the layers
--- themselves. Without a run there are but the columns that need none.
function Summary:_cells()
  local layers, rows, ran = shown_layers(self), {}, self.total_mult_adds ~= nil
  for i, layer in ipairs(layers) do
    local is_cut = layer.depth == self._depth
    local cells = {
      (layer.name ~= "" and layer.name .. ": " or "") .. layer.class, shapes_text(layer.output_size),
      params_text(layer, is_cut), mult_adds_text(layer, is_cut), shapes_text(layer.input_size),
      layer.calls > 0 and averages.bytes_text(layer.output_bytes) or "-", tostring(layer.calls), trainable_text(layer),
    }
    rows[i] = ran and cells or {cells[1], cells[3], cells[8]}
  end
  return ran and table_columns or {table_columns[1], table_columns[3], table_columns[8]}, rows, layers
end

function Summary:__tostring()
  local list, rows, layers = self:_cells()
  for i, before in ipairs(branches(layers)) do rows[i][1] = before .. rows[i][1] end
  return columns.text(list, rows, self._width) .. "\n\n" .. columns.facts(self:_facts(), self._width)
end

return Summary
