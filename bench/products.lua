-- nnlua's side of the comparison of products of matrices: small and square ones, those of an MLP, a GPT and an LSTM,
-- few rows, vectors, batches, and other dtypes. The cases of products.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"

--- A batch of matrices, each of which lies in memory as it is ("N") or as its transpose ("T").
local function matrices(order, dtype, batch, rows, cols)
  if order == "N" then return nl.randn(batch, rows, cols):to(dtype) end
  return nl.randn(batch, cols, rows):to(dtype).mT
end

-- The lines of products.txt: the orders of both matrices, the dtype, m, n, k, and a batch's size.
for line in io.lines(here .. "/products.txt") do
  local a, b, dtype, m, n, k, batch = line:match "^([NT])([NT]) (%w+) (%d+) (%d+) (%d+) ?(%d*)$"
  if a then
    m, n, k = tonumber(m), tonumber(n), tonumber(k)
    local function make()
      local count = tonumber(batch) or 1
      local l, r = matrices(a, nl[dtype], count, m, k), matrices(b, nl[dtype], count, k, n)
      if batch ~= "" then return function() return nl.bmm(l, r) end end
      l, r = l:squeeze(1), r:squeeze(1)
      return function() return nl.mm(l, r) end
    end
    local flops = 2 * m * n * k * (tonumber(batch) or 1) * (dtype:find "complex" and 4 or 1)
    measure(line, make, {flops = dtype == "float32" and flops or nil})
  end
end

local function addmm(options)
  return function()
    local c, a, b = nl.randn(512, 512), nl.randn(512, 512), nl.randn(512, 512)
    return function() return nl.addmm(c, a, b, options) end
  end
end

measure("addmm 512, beta 0.5", addmm {beta = 0.5}, {flops = 2 * 512 * 512 * 512})
measure("addmm 512, alpha 2", addmm {alpha = 2}, {flops = 2 * 512 * 512 * 512})
measure("linear 128x512x512", function()
  local x, w, bias = nl.randn(128, 512), nl.randn(512, 512), nl.randn(512)
  return function() return nl.F.linear(x, w, bias) end
end, {flops = 2 * 128 * 512 * 512})
measure("int8 weights 1x4096x4096", function()
  local x, w, scales = nl.randn(1, 4096), nl.randint(-128, 128, {4096, 4096}, {dtype = nl.int8}), nl.rand(4096)
  return function() return nl._weight_int8pack_mm(x, w, scales) end
end)
measure("int8 by int8 1024", function()
  local function bytes() return (nl.randint(-128, 128, {1024, 1024}, {dtype = nl.int8})) end
  local a, b = bytes(), bytes()
  return function() return nl._int_mm(a, b) end
end)
