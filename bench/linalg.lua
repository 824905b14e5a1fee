-- nnlua's side of the comparison of linear algebra: matrices alone, small and large, and 1000 small ones at once. The
-- cases of linalg.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local linalg = nl.linalg

local functions = {
  {"solve", function(a, _, b) return function() return linalg.solve(a, b) end end},
  {"inv", function(a) return function() return linalg.inv(a) end end},
  {"det", function(a) return function() return linalg.det(a) end end},
  {"cholesky", function(_, s) return function() return linalg.cholesky(s) end end},
  {"qr", function(a) return function() return linalg.qr(a) end end},
  {"eigh", function(_, s) return function() return linalg.eigh(s) end end},
  {"eig", function(a) return function() return linalg.eig(a) end end},
  {"svd", function(a) return function() return linalg.svd(a) end end},
  {"lstsq", function(a, _, b) return function() return linalg.lstsq(a, b) end end},
  {"matrix_exp", function(a) return function() return nl.matrix_exp(a) end end},
}

for _, shape in ipairs {{3}, {16}, {64}, {256}, {1000, 4}} do
  local n, batch = shape[#shape], {table.unpack(shape, 1, #shape - 1)}
  for _, case in ipairs(functions) do
    measure(("%s %s"):format(case[1], table.concat(shape, " of ")), function()
      local sizes = {table.unpack(batch)}
      sizes[#sizes + 1], sizes[#sizes + 2] = n, n
      local a = nl.randn(sizes)
      sizes[#sizes] = 1
      return case[2](a, a:matmul(a.mT) + nl.eye(n), nl.randn(sizes))
    end)
  end
end
