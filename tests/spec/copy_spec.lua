-- Copies between layouts and dtypes, and the loops that are compiled for each instruction set.
local nl = require "nnlua"
local process = require "support.process"

--- The same elements, put in order one by one.
local function in_order(x)
  return nl.tensor(x:tolist(), {dtype = x.dtype})
end

describe("a copy of a transposed tensor", function()
  local dtypes = {nl.bool, nl.uint8, nl.int16, nl.bfloat16, nl.float32, nl.float64, nl.int64}
  local shapes = {
    {1, 300}, {300, 1}, {2, 200}, {17, 33}, {64, 64}, {65, 127}, {130, 63}, {3, 1500}, {1500, 3}, {1025, 70},
  }

  before_each(function() nl.manual_seed(0) end)

  for _, dtype in ipairs(dtypes) do
    it("has its elements: " .. tostring(dtype), function()
      for _, shape in ipairs(shapes) do
        local x = nl.randint(0, 100, shape):to(dtype)
        assert.is_true(nl.equal(in_order(x:t()), x:t():contiguous()), tostring(x.shape))
        local part = nl.cat({x, x}, 2):narrow(2, 1, shape[2]):t() -- whose rows don't fill the memory
        assert.is_true(nl.equal(in_order(part), part:contiguous()), tostring(x.shape))
      end
    end)
  end

  it("may change the dtype", function()
    local x = nl.randn(70, 130)
    for _, dtype in ipairs {nl.float64, nl.float16, nl.int32, nl.bool, nl.complex64} do
      local y = nl.empty(130, 70, {dtype = dtype})
      y:copy_(x:t())
      assert.is_true(nl.equal(in_order(x:t()):to(dtype), y))
    end
  end)

  it("may be of complex numbers", function()
    for _, dtype in ipairs {nl.float32, nl.float64} do
      local re, im = nl.randn(40, 70, {dtype = dtype}), nl.randn(40, 70, {dtype = dtype})
      local copy = nl.view_as_real(nl.complex(re, im):t():contiguous())
      assert.is_true(nl.equal(in_order(re:t()), copy:select(3, 1)))
      assert.is_true(nl.equal(in_order(im:t()), copy:select(3, 2)))
    end
  end)

  it("works with the dimensions in any order", function()
    local x = nl.randn(5, 33, 70)
    for _, order in ipairs {{1, 3, 2}, {3, 2, 1}, {2, 3, 1}, {3, 1, 2}, {2, 1, 3}} do
      local turned = x:permute(order)
      assert.is_true(nl.equal(in_order(turned), turned:contiguous()))
    end
  end)

  it("writes into a part of a tensor and nowhere else", function()
    local whole, x = nl.zeros(100, 90), nl.rand(80, 100) + 1
    whole:narrow(2, 4, 80):copy_(x:t())
    assert.is_true(nl.equal(in_order(x:t()), whole:narrow(2, 4, 80)))
    assert.equal(100 * 80, whole:ne(0):sum():item())
  end)
end)

-- Prints what random fills and casts give, as it is in memory.
local program = [[
  local nl = require "nnlua"
  local INTEGER = {[1] = nl.uint8, [2] = nl.int16, [4] = nl.int32, [8] = nl.int64}
  local function show(what, x)
    if x:is_complex() then x = nl.view_as_real(x) end
    local hash = 0
    for _, n in ipairs(x:view(INTEGER[x:element_size()]):reshape(-1):tolist()) do hash = hash * 31 + n end
    print(what, hash)
  end
  nl.manual_seed(7)
  for _, n in ipairs {1, 7, 16, 33, 1003} do
    for _, dtype in ipairs {nl.float32, nl.float64, nl.float16, nl.bfloat16} do
      local x = nl.zeros(n, {dtype = dtype})
      show("normal", x:normal_(1.5, 2.25))
      show("uniform", x:uniform_(-3, 7.1))
      show("exponential", x:exponential_(1.7))
      show("bernoulli", x:bernoulli_(0.3))
    end
    show("randint", nl.randint(-5, 1000, {n}))
    show("randperm", nl.randperm(n))
  end
  local dtypes = {nl.float32, nl.float64, nl.float16, nl.bfloat16, nl.int64, nl.int32, nl.int16, nl.int8, nl.uint8,
    nl.bool, nl.complex64, nl.complex128}
  local values = nl.cat {nl.randn(1000) * 100, nl.randn(300) * 1e9, nl.randn(300) * 1e-6, nl.tensor {0, -0.0, 65504,
    65519, 65520, 2^31, -2^31, 2^31 - 128, 2^40, 127.9, -128.9, 255.5, 300, -1}}
  for _, from in ipairs(dtypes) do
    local x = values:to(from)
    local apart = nl.stack({x, x}, 2):select(2, 1)
    for _, to in ipairs(dtypes) do
      show(("%s to %s"):format(from, to), x:to(to))
      show(("%s to %s, strided"):format(from, to), apart:to(to):contiguous())
    end
  end
]]

describe("instruction sets", function()
  it("give the same random numbers and casts", function()
    local outputs = {}
    for i, set in ipairs {"base", "avx2", "avx512", "avx512vnni", "avx512bf16"} do
      local run = process.run({process.nnlua, "-e", program}, {env = {NNLUA_ISA = set}})
      assert.equal("", run.stderr)
      outputs[i] = run.stdout
    end
    assert.is_true(#outputs[1] > 1000)
    assert.equal(outputs[1], outputs[2])
    assert.equal(outputs[1], outputs[3])
    assert.equal(outputs[1], outputs[4])
    assert.equal(outputs[1], outputs[5])
  end)
end)
