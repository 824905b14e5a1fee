-- nnlua's side of the comparison of every op that Lua can call, forward, at a million elements or its natural size.
-- A case is named by its call, whose text Lua and Python read alike; PyTorch's side, every.py, calls the same name.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"

nl.set_default_dtype(nl[os.getenv "BENCH_DTYPE" or "float32"])

-- ------------------------------------------------------------------- names

--- What arguments of a kind are, for rows without inputs of their own.
local BY_KIND <const> = {
  tensor = "randn(1000, 1000)", operand = "randn(1000, 1000)",
  tensors = "list(randn(500, 1000), randn(500, 1000))", scalar = "0.5", int = "2", real = "0.5", bool = "true",
  size = "list(1000, 1000)", ints = "list(500, 500)", extents = "2", dim = "-1", dims = "list(-1)",
  position = "position(1)", dtype = 'constant("float64")', device = '"cpu"', numbers = "list(2.0, 2.0)",
}

--- What arguments are in a space of names, and what they are by their own.
local BY_SPACE <const> = {linalg = {tensor = "randn(200, 200)"}}
local BY_NAME <const> = {memory_format = 'constant("contiguous_format")'}

--- The arguments that PyTorch takes by name only.
local NAMED <const> = {memory_format = true}

--- What pointwise rows of a class take in place of `randn`.
local BY_CLASS <const> = {BITS = "whole(31, 1000, 1000)", INTEGER = "whole(31, 1000, 1000)"}

local function name_of(row)
  if row.space then return row.space .. "." .. row.name end
  if row.in_nl then return row.name end
  if row.functional then return "F." .. row.name end
  return "Tensor." .. row.name .. (row.method and "" or "_")
end

local function text_of(row, argument)
  local is_tensor = argument.kind == "tensor" or argument.kind == "operand"
  if is_tensor and argument.is_position then return "positions(1000, 1000, 1000)" end
  if is_tensor and BY_CLASS[row.class] then return BY_CLASS[row.class] end
  return BY_NAME[argument.name] or BY_SPACE[row.space] and BY_SPACE[row.space][argument.kind] or BY_KIND[argument.kind]
end

--- The arguments that a row requires, by name where others may stand before them; nil where a kind has no default.
local function arguments_of(row)
  local texts, is_gap = {}, false
  for _, argument in ipairs(row.args) do
    local text = text_of(row, argument)
    if argument.required and not text then return nil end
    local by_name = is_gap or NAMED[argument.name]
    if argument.required then texts[#texts + 1] = by_name and ('key("%s", %s)'):format(argument.name, text) or text end
    is_gap = is_gap or not argument.required
  end
  return table.concat(texts, ", ")
end

--- The arguments of rows that every.txt has, by row a list of texts.
local function read_inputs()
  local words, inputs = {}, {}
  for line in io.lines(here .. "/every.txt") do
    local word, meaning = line:match "^(%u+) = (.*)$"
    local row, arguments = line:match "^([%l%d_]+) (.*)$"
    if word then words[word] = meaning end
    if row then
      inputs[row] = inputs[row] or {}
      if arguments ~= "none" then table.insert(inputs[row], (arguments:gsub("%f[%w]%u+%f[%W]", words))) end
    end
  end
  return inputs
end

--- The calls of all rows that Lua can call, in the order of the table, each once.
local function calls()
  local inputs, list, known = read_inputs(), {}, {}
  for _, row in ipairs(nl.ops()) do
    if row.in_nl or row.functional or row.space or row.method or row.in_place then
      for _, arguments in ipairs(inputs[row.row] or {arguments_of(row) or "nil"}) do
        local call = ("%s(%s)"):format(name_of(row), arguments)
        if not known[call] then
          list[#list + 1], known[call] = call, true
        end
      end
    end
  end
  return list
end

-- --------------------------------------------------------------- arguments

--- What the words of a call's text mean.
local words = {}

--- Pairs of a name and a value at the end of arguments: options.
local Key = {}
function words.key(name, value) return setmetatable({name, value}, Key) end

function words.list(...) return {...} end
function words.position(i) return i end
function words.dim(i) return i end
function words.constant(name) return nl[name] end

function words.randn(...) return nl.randn {...} end
function words.rand(...) return nl.rand {...} end
function words.whole(high, ...) return nl.randint(1, high + 1, {...}) end
function words.positions(high, ...) return nl.randint(1, high + 1, {...}) end
function words.bools(...) return nl.rand {...}:gt(0.5) end
function words.complex(...) return nl.complex(nl.randn {...}, nl.randn {...}) end
function words.sorted(n) return (nl.randn(n):sort()) end
function words.signs(...) return nl.rand {...}:gt(0.5) * 2.0 - 1 end

--- Matrices that are symmetric and positive definite.
function words.definite(...)
  local m = nl.randn {...}
  return m:matmul(m.mT) + m:size(-1) * nl.eye(m:size(-1))
end

local SPACES <const> = {F = nl.F, Tensor = nl.zeros(1), linalg = nl.linalg, fft = nl.fft, special = nl.special,
  masked = nl.masked}

--- The function of a name.
local function entry(name)
  local space, rest = name:match "^(%a+)%.(.*)$"
  if space then return SPACES[space][rest] end
  return nl[name]
end

--- Result k of a call.
function words.result(k, name, ...) return (select(k, entry(name)(...))) end

--- A list of arguments with its keys made into one table of options at the end.
local function with_options(arguments)
  local list, options = {n = 0}, nil
  for i = 1, arguments.n do
    local value = arguments[i]
    if getmetatable(value) == Key then
      options = options or {}
      options[value[1]] = value[2]
    else
      list.n = list.n + 1
      list[list.n] = value
    end
  end
  if options then
    list.n = list.n + 1
    list[list.n] = options
  end
  return list
end

for _, call in ipairs(calls()) do
  measure(call, function()
    local name, arguments = call:match "^([%w_.]+)%((.*)%)$"
    local list = with_options(table.pack(load("return " .. arguments, call, "t", words)()))
    local f, unpack, n = entry(name), table.unpack, list.n
    local a, b, c = list[1], list[2], list[3]
    local run = n == 1 and function() return f(a) end or n == 2 and function() return f(a, b) end
      or n == 3 and function() return f(a, b, c) end or function() return f(unpack(list, 1, n)) end
    run()
    return run
  end)
end
