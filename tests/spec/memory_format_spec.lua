-- Strides of tensors in memory formats, as PyTorch 2.15 gives them, also where dimensions of size 1 leave a choice.
local nl = require "nnlua"

local last, rows, preserve = nl.channels_last, nl.contiguous_format, nl.preserve_format

local function strides(t) return {t:stride():unpack()} end

local inputs = {
  {"3 channels of one element", nl.ones(4, 3, 1, 1), last = {3, 1, 3, 3}, rows = {3, 1, 1, 1}},
  {"one channel", nl.ones(4, 1, 3, 3), last = {9, 1, 3, 1}, rows = {9, 9, 3, 1}},
  {"images", nl.ones(2, 3, 4, 5), last = {60, 1, 15, 3}, rows = {60, 20, 5, 1}},
  {"no images", nl.ones(0, 3, 4, 5), last = {60, 1, 15, 3}, rows = {60, 20, 5, 1}},
}

local makers = {
  clone = function(x, format) return x:clone({memory_format = format}) end,
  copies = function(x, format) return x:to(nl.float32, {copy = true, memory_format = format}) end,
  dtypes = function(x, format) return x:to(nl.float64, {memory_format = format}) end,
  double = function(x, format) return x:double({memory_format = format}) end,
  type = function(x, format) return x:type(nl.float64, {memory_format = format}) end,
  zeros_like = function(x, format) return nl.zeros_like(x, {memory_format = format}) end,
  rand_like = function(x, format) return nl.rand_like(x, {memory_format = format}) end,
  randint_like = function(x, format) return nl.randint_like(x, 5, {memory_format = format}) end,
  full_like = function(x, format) return nl.full_like(x, 5, {memory_format = format}) end,
  resize_as_ = function(x, format) return nl.empty(3):resize_as_(x, {memory_format = format}) end,
}

local like_sizes = {
  empty = function(x, format) return nl.empty(x.shape, {memory_format = format}) end,
  resize_ = function(x, format) return nl.empty(3):resize_(x.shape, {memory_format = format}) end,
}

describe("memory formats", function()
  for _, case in ipairs(inputs) do
    local x = case[2]
    local in_last = nl.empty(x.shape, {memory_format = last})
    for name, make in pairs(makers) do
      it(("%s of %s"):format(name, case[1]), function()
        assert.same(case.last, strides(make(x, last)))
        assert.same(case.rows, strides(make(in_last, rows)))
        assert.same(case.rows, strides(make(x, preserve)))
        assert.same(case.last, strides(make(in_last, preserve)))
      end)
    end
    for name, make in pairs(like_sizes) do
      it(("%s of %s"):format(name, case[1]), function()
        assert.same(case.last, strides(make(x, last)))
        assert.same(case.rows, strides(make(x, rows)))
        assert.error_matches(function() make(x, preserve) end, "preserved")
      end)
    end
  end

  it("contiguous and to leave what lies so already", function()
    local x = nl.ones(4, 3, 1, 1)
    assert.same({3, 1, 1, 1}, strides(x:contiguous(last)))
    assert.same({3, 1, 3, 3}, strides(x:to({memory_format = last})))
    local in_last = nl.empty(4, 3, 1, 1, {memory_format = last})
    assert.equal(in_last, in_last:to({memory_format = last}))
    assert.same({3, 1, 1, 1}, strides(in_last:to({memory_format = rows})))
  end)

  it("draw in the order of memory", function()
    nl.manual_seed(0)
    local drawn = nl.rand_like(nl.ones(2, 3, 4, 5), {memory_format = last})
    nl.manual_seed(0)
    assert.is_true(nl.equal(nl.rand(2, 4, 5, 3):permute(1, 4, 2, 3), drawn))
  end)

  it("keep elements and gradients", function()
    local x = nl.arange(24.0):reshape(1, 2, 3, 4):requires_grad_()
    local y = x:double({memory_format = last})
    assert.is_true(nl.equal(x:double(), y))
    nl.autograd.backward((y * y):sum())
    assert.is_true(nl.equal(x.grad, 2 * x:detach()))
    assert.equal(nl.float32, x.grad.dtype)
  end)

  it("are refused in words", function()
    assert.error_matches(function() nl.ones(2, 3, 4):clone({memory_format = last}) end, "layout of 4 dimensions")
    assert.error_matches(function() nl.empty(2, 3, {memory_format = "columns"}) end, "memory_format is")
    assert.error_matches(function() nl.ones(2):resize_(2, 3, {memory_format = last}) end, "layout of 4 dimensions")
    assert.error_matches(function() nl.ones(2):resize_(2, 3, {memory_format = 5}) end, "memory_format is")
  end)

  it("modules take them", function()
    local net = nl.nn.Conv2d(3, 4, 1):to({memory_format = last})
    assert.same({3, 1, 3, 3}, strides(net.weight))
  end)
end)

describe("type", function()
  it("names a tensor's kind, or gives another", function()
    local x = nl.ones(2)
    assert.equal("nnlua.FloatTensor", x:type())
    assert.equal("nnlua.BoolTensor", x:bool():type())
    assert.equal("nnlua.ComplexDoubleTensor", x:cdouble():type())
    assert.equal(nl.float64, x:type "torch.DoubleTensor".dtype)
    assert.equal(nl.int64, x:type(nl.LongTensor).dtype)
    assert.equal(x, x:type(nl.float32))
    assert.error_matches(function() x:type "Float" end, "is no kind of tensors")
  end)
end)
