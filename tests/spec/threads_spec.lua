-- Work is split by shape alone, so results are the same bits whatever the number of threads.
local nl = require "nnlua"
local process = require "support.process"

-- The sanitized build cuts work into chunks of 8 elements instead of 32768: there a small matrix has more of them than
-- a large one has elsewhere.
local rows, columns = 700, 1024
if process.is_sanitized() then rows, columns = 70, 128 end

local function bits(t)
  return t:contiguous():view(t.dtype == nl.float64 and nl.int64 or nl.int32)
end

local cases = {
  ["sum of all"] = function(x) return x:sum() end,
  ["sum along rows"] = function(x) return x:sum(1) end,
  ["sum along columns"] = function(x) return x:sum(2) end,
  mean = function(x) return x:mean() end,
  ["sum of a transposed tensor"] = function(x) return x:t():sum() end,
  exp = function(x) return nl.exp(x) end,
  add = function(x) return x + x:select(1, 1) end,
  softmax = function(x) return nl.softmax(x, 2) end,
  mm = function(x)
    local left, right = table.unpack(x:chunk(2, {dim = 2, as_table = true}))
    return nl.mm(left, right:t())
  end,
  ["mm of few rows"] = function(x) return nl.mm(x:narrow(1, 1, 3), x:t()) end,
  ["mm along a long dimension"] = function(x) return nl.mm(x:reshape(8, -1), x:reshape(8, -1):t()) end,
  mv = function(x) return nl.mv(x, x:select(1, 1)) end,
  ["gradient of a product"] = function(x)
    local w = x:detach():requires_grad_()
    return (nl.autograd.grad(nl.mm(w, w:t()):tanh():sum(), w))
  end,
}

describe("the number of threads", function()
  local before = nl.get_num_threads()
  local inputs

  setup(function()
    nl.manual_seed(0)
    inputs = {nl.randn(rows, columns), nl.randn(rows, columns, {dtype = nl.float64})}
  end)

  teardown(function() nl.set_num_threads(before) end)

  before_each(function() nl.manual_seed(0) end)

  it("can be set and read", function()
    nl.set_num_threads(3)
    assert.equal(3, nl.get_num_threads())
    assert.error_matches(function() nl.set_num_threads(0) end, "positive")
  end)

  for name, run in pairs(cases) do
    it("makes no difference to " .. name, function()
      for _, x in ipairs(inputs) do
        local expected
        for threads = 1, 3 do
          nl.set_num_threads(threads)
          local result = bits(run(x))
          expected = expected or result
          assert.is_true(nl.equal(expected, result), ("%s, %d threads"):format(x.dtype, threads))
        end
      end
    end)
  end
end)
