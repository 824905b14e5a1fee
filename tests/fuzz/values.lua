-- Random values of all kinds that a program can pass: tensors of any form, sizes, numbers at their limits, and what
-- makes no sense at all.
local nl = require "nnlua"

local values = {}

local dtypes = {
  {8, nl.float32}, {8, nl.float64}, {2, nl.float16}, {2, nl.bfloat16}, {3, nl.int64}, {1, nl.int32}, {1, nl.int16},
  {1, nl.int8}, {1, nl.uint8}, {2, nl.bool}, {2, nl.complex64}, {1, nl.complex128},
}
local most_elements = 300

function values.dtype(draw) return draw:weighted(dtypes) end

--- A shape of few elements.
function values.shape(draw)
  local shape, n = {}, 1
  for i = 1, draw:weighted {{1, 0}, {4, 1}, {6, 2}, {3, 3}, {2, 4}, {1, 6}} do
    local size = draw:weighted {{1, 0}, {3, 1}, {5, 2}, {4, 3}, {2, 5}, {1, 17}}
    if n * size > most_elements then size = 1 end
    shape[i], n = size, n * size
  end
  return shape
end

local function dense(draw, shape, dtype)
  if dtype == nl.bool then return nl.randint(0, 2, shape):to(dtype) end
  local x = nl.randn(shape) * draw:pick {1, 3, 100}
  if dtype == nl.uint8 then x = x:abs() end
  x = x:to(dtype)
  if dtype.is_floating_point and x:numel() > 0 and draw:chance(0.1) then
    x:view(-1)[draw:integer(1, x:numel())] = draw:pick {nl.nan, nl.inf, -nl.inf, 0.0, -0.0}
  end
  return x
end

-- Other ways for elements to lie in memory.
local layouts = {
  function(x) return x end,
  function(x) return x:transpose(1, -1) end,
  function(x) return nl.cat({x, x}, -1):unflatten(-1, {-1, 2}):select(-1, 1) end,
  function(x, draw) return x:select(draw:integer(1, x:dim()), 1) end,
  function(x) return x:unsqueeze(1):expand(3, table.unpack(x.shape)) end,
  function(x) return x:narrow(1, 1, math.min(1, x:size(1))) end,
  function(x) return x:permute(table.unpack((function(t) for i = x:dim(), 1, -1 do t[#t + 1] = i end return t end) {})) end,
}

--- A tensor of a shape, dtype, layout and device, with or without a gradient. `options.dtype` and `options.shape` are
--- kept to where given.
function values.tensor(draw, options)
  options = options or {}
  local dtype = options.dtype or values.dtype(draw)
  local x = dense(draw, options.shape or values.shape(draw), dtype)
  if not options.shape and x:dim() > 0 and draw:chance(0.3) then
    local ok, other = pcall(draw:pick(layouts), x, draw)
    if ok then x = other end
  end
  if draw:chance(0.04) then x = x:to "meta" end
  if (x:is_floating_point() or x:is_complex()) and draw:chance(0.4) then x = x:detach():requires_grad_() end
  return x
end

local integers = {
  {10, 0}, {20, 1}, {20, 2}, {10, 3}, {10, -1}, {5, -2}, {3, 7}, {2, 64}, {2, 1000}, {1, 1 << 31}, {1, (1 << 31) - 1},
  {1, 1 << 40}, {1, 1 << 53}, {1, math.maxinteger}, {1, math.mininteger}, {1, math.maxinteger - 1},
}
local floats = {
  {10, 0.5}, {10, 0.0}, {10, 1.0}, {5, -1.5}, {4, 2.0}, {3, 1e-8}, {2, -0.0}, {2, 1e18}, {2, 1e308}, {2, nl.inf},
  {2, -nl.inf}, {2, nl.nan}, {1, 5e-324}, {1, 0x1p63},
}

function values.integer(draw) return draw:weighted(integers) end
function values.float(draw) return draw:weighted(floats) end

--- A list of up to n integers.
function values.integers(draw, n)
  local list = {}
  for i = 1, draw:integer(0, n or 4) do list[i] = values.integer(draw) end
  return list
end

local words = {
  "", "mean", "sum", "none", "cpu", "meta", "cuda", "float32", "floor", "trunc", "reflect", "circular", "constant",
  "bilinear", "nearest", "tanh", "linear", "fro", "nuc", "same", "valid", "left", "wrong\0", ("x"):rep(300), "%s%n", "é",
}

local anything = {
  function(draw) return values.tensor(draw) end,
  function(draw) return values.integer(draw) end,
  function(draw) return values.float(draw) end,
  function(draw) return values.integers(draw) end,
  function(draw) return draw:pick(words) end,
  function(draw) return draw:chance(0.5) end,
  function() return nil end,
  function(draw) return values.dtype(draw) end,
  function(draw) return draw:pick {nl.newaxis, nl.ellipsis, nl.none} end,
  function(draw) return {values.tensor(draw), values.tensor(draw)} end,
  function(draw) return {dim = values.integer(draw), keepdim = draw:chance(0.5)} end,
  function() return print end,
  function() return coroutine.create(function() end) end,
  function() return io.stdout end,
  function() return nl.Generator() end,
  function() return nl.nn.Linear end,
  function() return nl.Size {2, 3} end,
  function() return setmetatable({}, {__index = function() error {} end}) end,
  function(draw) return nl.complex(values.float(draw), values.float(draw)) end,
  function() return {{}, {1, {2}}} end,
}

--- Anything.
function values.any(draw) return draw:pick(anything)(draw) end

local by_kind = {
  tensor = values.tensor,
  operand = function(draw) return draw:chance(0.8) and values.tensor(draw) or values.float(draw) end,
  tensors = function(draw) return {values.tensor(draw), values.tensor(draw)} end,
  scalar = function(draw) return draw:chance(0.5) and values.integer(draw) or values.float(draw) end,
  int = values.integer, real = values.float, position = values.integer, dim = values.integer,
  bool = function(draw) return draw:chance(0.5) end,
  size = values.integers, ints = values.integers, dims = values.integers,
  extents = function(draw) return draw:chance(0.5) and values.integer(draw) or values.integers(draw, 3) end,
  numbers = function(draw) return {values.float(draw), values.float(draw)} end,
  dtype = values.dtype,
  device = function(draw) return draw:pick {"cpu", "meta"} end,
  generator = function() return nl.Generator() end,
}

--- A value of a kind of argument, as nl.ops() names them.
function values.of_kind(draw, kind) return (by_kind[kind] or values.any)(draw) end

return values
