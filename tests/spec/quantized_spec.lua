-- Products of bytes, exact and with a scale a row, and the layer that stands on them.
local nl = require "nnlua"
local tensors = require "support.tensors"
local nn = nl.nn

local assert_near = tensors.assert_near

--- All numbers of a byte in turn, from a start on.
local function bytes(dtype, rows, cols, start)
  local x = (nl.arange(rows * cols) * 37 + start):remainder(256):view(rows, cols)
  return (dtype == nl.int8 and x - 128 or x):to(dtype)
end

local layouts = {
  function(x) return x end,
  function(x) return x:t():contiguous():t() end,
  function(x) return nl.zeros(x.shape[1], 3 * x.shape[2], {dtype = x.dtype}):narrow(2, 2, x.shape[2]):copy_(x) end,
}

describe("a product of bytes", function()
  it("is exact, of signed and unsigned ones, however they lie", function()
    for _, shape in ipairs {
      {1, 1, 1}, {3, 5, 2}, {7, 300, 35}, {50, 513, 3}, {500, 4, 530},
      {1, 257, 143}, {2, 513, 64}, {3, 2, 72}, {4, 9, 17}, {13, 2053, 37}, {1, 1027, 70}, {30, 1025, 300},
    } do
      local m, k, n = table.unpack(shape)
      for _, left in ipairs {nl.int8, nl.uint8} do
        for _, right in ipairs {nl.int8, nl.uint8} do
          local a, b = bytes(left, m, k, 3), bytes(right, k, n, 8)
          local expected = a:double():mm(b:double()):to(nl.int32)
          for _, p in ipairs(layouts) do
            for _, q in ipairs(layouts) do assert.is_true(nl._int_mm(p(a), q(b)):equal(expected)) end
          end
        end
      end
    end
  end)

  it("without terms is 0", function()
    local a, b = nl.zeros(2, 0, {dtype = nl.uint8}), nl.zeros(0, 3, {dtype = nl.int8})
    assert.is_true(nl._int_mm(a, b):equal(nl.zeros(2, 3, {dtype = nl.int32})))
  end)

  it("doesn't saturate", function()
    local a = nl.full({3, 600}, 255, {dtype = nl.uint8})
    local b = nl.full({600, 20}, -128, {dtype = nl.int8})
    assert.is_true(nl._int_mm(a, b):eq(-255 * 128 * 600):all():item())
    assert.is_true(nl._int_mm(a, a:t()):eq(255 * 255 * 600):all():item())
  end)

  it("says what it wants", function()
    local a = bytes(nl.int8, 2, 3, 0)
    assert.error_matches(function() nl._int_mm(a, a) end,
      "_int_mm: shapes %(2, 3%) and %(2, 3%) don't fit: 3 against 2")
    assert.error_matches(function() nl._int_mm(a, nl.ones(3, 2)) end,
      "_int_mm: mat2 has dtype float32; int8 or uint8 is wanted")
  end)
end)

describe("a product of whole numbers", function()
  it("wraps, whatever its shape and layout", function()
    for _, dtype in ipairs {nl.uint8, nl.int8, nl.int16, nl.int32, nl.int64} do
      for _, shape in ipairs {{3, 10, 5}, {9, 300, 17}, {50, 33, 40}, {2, 700, 1}, {1, 4, 900}} do
        local m, k, n = table.unpack(shape)
        local a, b = bytes(nl.int8, m, k, 1):to(dtype), bytes(nl.int8, k, n, 2):to(dtype)
        local expected = (a:long():unsqueeze(3) * b:long():unsqueeze(1)):sum(2):to(dtype)
        for _, p in ipairs(layouts) do
          for _, q in ipairs(layouts) do assert.is_true(p(a):mm(q(b)):equal(expected)) end
        end
      end
    end
    local large = nl.full({2, 2}, 1 << 62, {dtype = nl.int64})
    assert.same({{(1 << 62) * 3 * 2, (1 << 62) * 3 * 2}, {(1 << 62) * 3 * 2, (1 << 62) * 3 * 2}},
      large:mm(nl.full({2, 2}, 3, {dtype = nl.int64})):tolist())
  end)
end)

describe("weights of a byte with a scale a row", function()
  it("give PyTorch's products", function()
    local x = nl.tensor {{1.0, -2.0, 0.5}, {3.0, 0.25, -1.0}}
    local w = nl.tensor({{127, -64, 3}, {-128, 5, 90}, {0, 1, 2}, {10, 20, 30}}, {dtype = nl.int8})
    local y = nl._weight_int8pack_mm(x, w, nl.tensor {0.5, 0.125, 2.0, 0.01})
    assert_near({{128.25, -11.625, -2.0, -0.15}, {181.0, -59.09375, -3.5, 0.05}}, y, 1e-6)
  end)

  it("are multiplied in float32 by any number of rows of any dtype", function()
    for _, shape in ipairs {{1, 64, 40}, {1, 1031, 33}, {5, 300, 70}, {16, 260, 9}, {70, 300, 130}} do
      local m, k, n = table.unpack(shape)
      local w, x = bytes(nl.int8, n, k, 5), bytes(nl.int8, m, k, 9):remainder(5):float() -- sums are exact in float32
      local scales = nl.arange(1, n + 1):remainder(4):add(1):float() / 4
      local expected = x:double():mm((w:double() * scales:double():unsqueeze(2)):t())
      for _, dtype in ipairs {nl.float32, nl.float64, nl.float16, nl.bfloat16} do
        assert.is_true(nl._weight_int8pack_mm(x:to(dtype), w, scales):equal(expected:to(dtype)))
      end
    end
  end)
end)

describe("a quantized Linear", function()
  local dynamic = nn.quantized.dynamic

  it("rounds each weight to a 127th of its row's largest", function()
    local layer = nn.Linear(40, 30)
    local quantized = dynamic.Linear.from_float(layer)
    local step = layer.weight:abs():amax(2) / 127
    local weight = quantized.weight:float() * quantized.scales:unsqueeze(2)
    assert.is_true((weight - layer.weight):abs():le(step:unsqueeze(2) * 0.501):all():item())
    local x = nl.randn(5, 2, 40)
    assert_near(nl.F.linear(x, weight, layer.bias), quantized(x), 1e-5)
    assert.is_nil((quantized:parameters()()))
  end)

  it("takes rows of zeros and layers without bias", function()
    local layer = nn.Linear(3, 2, {bias = false})
    layer.weight.data:zero_()
    assert_near({{0, 0}}, dynamic.Linear.from_float(layer)(nl.ones(1, 3)))
  end)

  it("passes gradients on", function()
    local layer = dynamic.Linear.from_float(nn.Linear(4, 3))
    local x = nl.randn(2, 4):requires_grad_()
    layer(x):sum():backward()
    assert_near((layer.weight:float() * layer.scales:unsqueeze(2)):sum(1):expand(2, 4), x.grad, 1e-5)
  end)

  it("saves and loads its state", function()
    local quantized = dynamic.Linear.from_float(nn.Linear(6, 5))
    local path = os.tmpname()
    nl.save(path, quantized:state_dict())
    local other = dynamic.Linear(6, 5)
    other:load_state_dict(nl.load(path))
    os.remove(path)
    local x = nl.randn(3, 6)
    assert.is_true(other(x):equal(quantized(x)))
  end)

  it("is made of a Linear only", function()
    assert.error_matches(function() dynamic.Linear.from_float(nn.ReLU()) end,
      "nn.quantized.dynamic.Linear.from_float: an nn.Linear is wanted, got ReLU")
  end)
end)
