-- Definitions for lua-language-server, from the entries of the help: types of arguments and results, descriptions.

local catalogue = require "nnlua.help.catalogue"
local nl = require "nnlua"
local parts = require "nnlua.parts"

local stubs = {}

local HEAD = [[
---@meta nnlua

-- What an editor knows of nnlua. Written by `nnlua docs/write.lua`.

---@class nnlua.dtype
---@field name string
---@field itemsize integer
---@field is_floating_point boolean
---@field is_complex boolean
---@field is_signed boolean

---@class nnlua.device
---@field type string
---@operator concat: string

---@class nnlua.Size
---@field [integer] integer
---@operator len: integer
local Size = {}
---@return integer
function Size:numel() end
---@return integer ...
function Size:unpack() end
---@return integer[]
function Size:totable() end

---@class nnlua.Generator
local Generator = {}
---@param seed integer
---@return nnlua.Generator
function Generator:manual_seed(seed) end

---@class nnlua.Tensor
---@operator add(nnlua.Tensor|number): nnlua.Tensor
---@operator sub(nnlua.Tensor|number): nnlua.Tensor
---@operator mul(nnlua.Tensor|number): nnlua.Tensor
---@operator div(nnlua.Tensor|number): nnlua.Tensor
---@operator idiv(nnlua.Tensor|number): nnlua.Tensor
---@operator mod(nnlua.Tensor|number): nnlua.Tensor
---@operator pow(nnlua.Tensor|number): nnlua.Tensor
---@operator unm: nnlua.Tensor
---@operator band(nnlua.Tensor|integer): nnlua.Tensor
---@operator bor(nnlua.Tensor|integer): nnlua.Tensor
---@operator bxor(nnlua.Tensor|integer): nnlua.Tensor
---@operator bnot: nnlua.Tensor
---@operator len: integer
---@field [any] any
local Tensor = {}

---@class nnlua
local nl = {}
---@class nnlua.functional
nl.F = {}
---@class nnlua.fft
nl.fft = {}
---@class nnlua.signal
nl.signal = {windows = {}}
---@class nnlua.io
nl.io = {}
---@class nnlua.linalg
nl.linalg = {}
---@class nnlua.special
nl.special = {}
---@class nnlua.masked
nl.masked = {}
---@class nnlua.autograd
nl.autograd = {}
---@class nnlua.help
nl.help = {}
---@class nnlua.autograd.functional
nl.autograd.functional = {}
---@class nnlua.autograd.forward_ad
nl.autograd.forward_ad = {}
---@class nnlua.autograd.graph
nl.autograd.graph = {}
---@class nnlua.func
nl.func = {}
---@class nnlua.program
nl.program = {}
---@class nnlua.amp
nl.amp = {}
---@class nnlua.cuda
nl.cuda = {}
---@class nnlua.accelerator
nl.accelerator = {}
---@class nnlua.nn
local nn = {}
nl.nn, nn.functional = nn, nl.F
---@class nnlua.nn.init
nn.init = {}
---@class nnlua.nn.utils
nn.utils = {}
---@class nnlua.nn.utils.rnn
nn.utils.rnn = {}
---@class nnlua.nn.utils.parametrize
nn.utils.parametrize = {}
---@class nnlua.nn.utils.parametrizations
nn.utils.parametrizations = {}
---@class nnlua.nn.utils.prune
nn.utils.prune = {}
---@class nnlua.nn.quantized.dynamic
nn.quantized = {dynamic = {}}
---@class nnlua.optim
local optim = {}
nl.optim = optim
---@class nnlua.optim.lr_scheduler
optim.lr_scheduler = {}
---@class nnlua.optim.swa_utils
optim.swa_utils = {}
---@class nnlua.distributions
local distributions = {}
nl.distributions = distributions
---@class nnlua.distributions.constraints
distributions.constraints = {}
---@class nnlua.distributions.transforms
distributions.transforms = {}
---@class nnlua.distributions.utils
distributions.utils = {}
---@class nnlua.datasets
local datasets = {}
nl.datasets = datasets
---@class nnlua.transforms
local transforms = {}
nl.transforms = transforms
---@class nnlua.transforms.functional
transforms.functional = {}
---@class nnlua.audio
nl.audio = {}
---@class nnlua.vision
nl.vision = {}
---@class nnlua.plot
nl.plot = {}
---@class nnlua.text
local text = {}
nl.text = text
---@class nnlua.utils
local utils = {}
nl.utils = utils
---@class nnlua.utils.data
utils.data = {}
---@class nnlua.utils.tensorboard
utils.tensorboard = {}
---@class nnlua.utils.checkpoint
utils.checkpoint = {}
---@class nnlua.distributed
local distributed = {nn = {}}
nl.distributed = distributed
---@class nnlua.distributed.nn.functional
distributed.nn.functional = {}
---@class nnlua.distributed.optim
distributed.optim = {}
---@class nnlua.nn.parallel
nn.parallel = {}
---@class nnlua.optim.functional
optim.functional = {}
---@class nnlua.onnx
nl.onnx = {}
---@class nnlua.profiler
nl.profiler = {}
---@class nnlua.quasirandom
nl.quasirandom = {}
---@class nnlua.random
nl.random = {}
---@class nnlua.backends
nl.backends = {cuda = {}, cudnn = {}, mha = {}, mps = {}}
---@class nnlua.callbacks
nl.callbacks = {}
---@class nnlua.metrics
nl.metrics = {}
---@class nnlua.checkpoint
nl.checkpoint = {}
---@class nnlua.argparse
local argparse = {}
nl.argparse = argparse
---@class nnlua.testing
local testing = {}
nl.testing = testing
local F = nl.F
]]

-- ------------------------------------------------------------------- types

local types = {
  tensor = "nnlua.Tensor", ["optional tensor"] = "nnlua.Tensor", tensors = "nnlua.Tensor[]",
  ["optional bool"] = "boolean",
  operand = "nnlua.Tensor|number", ["optional operand"] = "nnlua.Tensor|number",
  scalar = "number|boolean", int = "integer", real = "number", bool = "boolean", string = "string",
  size = "integer|integer[]", dim = "integer", dims = "integer|integer[]", ints = "integer[]",
  extents = "integer|integer[]",
  ["dim pair"] = "integer[][]",
  numbers = "number[]", position = "integer", dtype = "nnlua.dtype", device = "nnlua.device|string",
  generator = "nnlua.Generator",
}

local spec_types = {
  tensor = "nnlua.Tensor", rate = "number|nnlua.Tensor", list = "any[]", module = "nnlua.nn.Module", any = "any",
}

local own = {
  Tensor = "nnlua.Tensor", Size = "nnlua.Size", Generator = "nnlua.Generator", dtype = "nnlua.dtype",
  device = "nnlua.device", Figure = "nnlua.nl.plot.Figure", Graph = "nnlua.nl.plot.Graph",
}

--- A type as it stands in a comment, with nnlua's own classes by their full names.
local function type_text(kind)
  return (kind:gsub("[%w_.]+", own))
end

local keywords = {["end"] = true, ["repeat"] = true, ["function"] = true, ["goto"] = true, ["in"] = true}

local function parameter_name(name)
  return keywords[name] and name .. "_" or name
end

-- ----------------------------------------------------------------- writing

local function add_description(lines, description)
  for line in (description .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line == "" and "---" or "--- " .. line
  end
end

local function result_type(row)
  if row.results == -1 then return "nnlua.Tensor ..." end
  return ("nnlua.Tensor, "):rep(row.results):sub(1, -3)
end

--- The parameters of a row from one on: "name: type" texts, and names.
local function row_parameters(row, from)
  local typed, names = {}, {}
  for i = from, #row.args do
    local argument = row.args[i]
    local name, kind = parameter_name(argument.name), types[argument.kind] or "any"
    typed[#typed + 1] = {name = name, optional = not argument.required, kind = kind}
    names[#names + 1] = name
  end
  if row.results ~= 1 then
    typed[#typed + 1] = {name = "as_table", optional = true, kind = "boolean"}
    names[#names + 1] = "as_table"
  end
  return typed, names
end

local function overload_text(row, from, self_type)
  local typed = row_parameters(row, from)
  local texts = {self_type and "self: " .. self_type or nil}
  for _, one in ipairs(typed) do
    texts[#texts + 1] = ("%s%s: %s"):format(one.name, one.optional and "?" or "", one.kind)
  end
  return ("---@overload fun(%s): %s"):format(table.concat(texts, ", "), result_type(row))
end

--- One form of an op: the first row in full, others as overloads.
local function add_op_form(lines, rows, owner, name, from, self_type)
  local row = rows[1]
  if not name:find "^[%a_][%w_]*$" then return end
  add_description(lines, row.doc)
  local typed, names = row_parameters(row, from)
  for _, one in ipairs(typed) do
    lines[#lines + 1] = ("---@param %s%s %s"):format(one.name, one.optional and "?" or "", one.kind)
  end
  lines[#lines + 1] = "---@return " .. result_type(row)
  for i = 2, #rows do lines[#lines + 1] = overload_text(rows[i], from, self_type) end
  if keywords[name] then -- a method: x["repeat"](x, 2)
    lines[#lines + 1] = ("%s[%q] = function(self, %s) end\n"):format(owner:sub(1, -2), name, table.concat(names, ", "))
  else
    lines[#lines + 1] = ("function %s%s(%s) end\n"):format(owner, name, table.concat(names, ", "))
  end
end

local forms = {
  {field = "in_nl", owner = "nl.", from = 1}, {field = "functional", owner = "F.", from = 1},
  {field = "space", owner = "nl.%s.", from = 1}, {field = "method", owner = "Tensor:", from = 2},
  {field = "in_place", owner = "Tensor:", from = 2, suffix = "_"},
}

local function add_op(lines, entry)
  for _, form in ipairs(forms) do
    local rows = {}
    for _, row in ipairs(entry.rows) do
      if row[form.field] then rows[#rows + 1] = row end
    end
    for _, name in ipairs(#rows > 0 and {entry.short, table.unpack(entry.aliases)} or {}) do
      add_op_form(lines, rows, form.owner:format(entry.space), name .. (form.suffix or ""), form.from,
        form.owner == "Tensor:" and "nnlua.Tensor" or nil)
    end
  end
end

local function spec_parameters(spec)
  local texts = {}
  for i, one in ipairs(spec) do
    local kind = one[2]:gsub("%?$", "")
    texts[i] = ("%s%s: %s"):format(parameter_name(one[1]), (one[3] ~= nil or one[2]:find "%?") and "?" or "",
      spec_types[kind] or kind)
  end
  return table.concat(texts, ", ")
end

local function class_name(name)
  return "nnlua." .. name
end

--- The full name of a class's parent; only those that have an entry.
local function parent_of(entry)
  local meta = debug.getmetatable(entry.class)
  local parent = rawget(entry.class, "super") or meta and rawget(meta, "__index")
  local found = catalogue.all().by_value[parent]
  return found and found.kind == "class" and class_name(found.name) or nil
end

local function add_class(lines, entry)
  add_description(lines, entry.overloads[1].text)
  local name, parent = class_name(entry.name), parent_of(entry)
  lines[#lines + 1] = ("---@class %s%s"):format(name, parent and ": " .. parent or "")
  for _, field in ipairs(entry.doc and entry.doc.fields or {}) do
    lines[#lines + 1] = ("---@field %s %s"):format(field.name, type_text(field.kind))
  end
  lines[#lines + 1] = ("---@overload fun(%s): %s"):format(
    entry.spec and spec_parameters(entry.spec) or "...: any", name)
  lines[#lines + 1] = ("%s = {}\n"):format(entry.name)
end

--- A function or method, with the types that its comment tells.
local function add_function(lines, entry)
  add_description(lines, entry.overloads[1].text)
  local doc = entry.doc or {params = {}, returns = {}}
  local names = {}
  for _, one in ipairs(doc.params) do
    local name, mark = one.name:match "^(.-)(%??)$"
    name = parameter_name(name)
    local kind = type_text(one.kind == "" and "any" or one.kind)
    lines[#lines + 1] = ("---@param %s%s %s"):format(name, mark, one.text ~= "" and kind .. " " .. one.text or kind)
    names[#names + 1] = name
  end
  for _, one in ipairs(doc.returns) do lines[#lines + 1] = "---@return " .. type_text(one) end
  local owner, name = entry.name:match "^(.+)([:.][%w_]+)$"
  lines[#lines + 1] = ("function %s%s(%s) end\n"):format(owner, name, #names > 0 and table.concat(names, ", ") or "...")
end

local function add_field(lines, entry)
  add_description(lines, entry.overloads[1].text)
  lines[#lines + 1] = ("---@type any\n%s = nil\n"):format(entry.name)
end

local adders = {op = add_op, class = add_class, ["function"] = add_function, method = add_function, value = add_field}

local function add_constants(lines)
  local names = {}
  for name, value in next, nl do
    if type(value) == "userdata" and tostring(value):find "^nnlua%." then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do lines[#lines + 1] = ("---@type nnlua.dtype\nnl.%s = nil"):format(name) end
  for _, name in ipairs {"inf", "nan", "pi"} do lines[#lines + 1] = ("---@type number\nnl.%s = nil"):format(name) end
  for _, name in ipairs {"none", "newaxis", "ellipsis"} do
    lines[#lines + 1] = ("---@type userdata\nnl.%s = nil"):format(name)
  end
end

--- The definitions.
function stubs.text()
  local lines = {HEAD}
  add_constants(lines)
  lines[#lines + 1] = ""
  for _, entry in ipairs(catalogue.all()) do adders[entry.kind](lines, entry) end
  lines[#lines + 1] = "return nl"
  return table.concat(lines, "\n") .. "\n"
end

--- The names of what the prompt defines, for luacheck: a std with nl, nn, F, optim and help.
function stubs.luacheck()
  local lines = {
    "-- For luacheck: what the prompt defines, so that init.lua and what is pasted there can be checked. "
      .. "In .luacheckrc:",
    "--   stds.nnlua = dofile \"path/to/nnlua.luacheck.lua\"",
    "--   files[\"init.lua\"].std = \"lua54+nnlua\"",
    "-- Written by `nnlua docs/write.lua`.", "return {", "  read_globals = {", "    help = {},",
  }
  local function add(name, part)
    local names = {}
    for key in pairs(part) do
      if type(key) == "string" and not key:find "^_" then names[#names + 1] = key end
    end
    table.sort(names)
    lines[#lines + 1] = ("    %s = {"):format(name)
    lines[#lines + 1] = "      fields = {"
    for _, key in ipairs(names) do
      local field = key:find "^[%a_][%w_]*$" and not keywords[key] and key or ("[%q]"):format(key)
      local fields = type(part[key]) == "table" and "other_fields = true" or ""
      lines[#lines + 1] = ("        %s = {%s},"):format(field, fields)
    end
    lines[#lines + 1] = "      },\n    },"
  end
  for _, part in ipairs(parts) do assert(nl[part]) end -- loaded when they are asked for
  add("nl", nl)
  add("nn", nl.nn)
  add("F", nl.F)
  add("optim", nl.optim)
  lines[#lines + 1] = "  },\n}\n"
  return table.concat(lines, "\n")
end

return stubs
