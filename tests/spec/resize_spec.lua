-- x:resize_ and x:resize_as_. Values are those of PyTorch 2.15 but for elements that it leaves unset.
local nl = require "nnlua"

local function failure(f, ...) return select(2, pcall(f, ...)) end

describe("resize_", function()
  it("stays in the memory that there is", function()
    local x = nl.arange(0, 6)
    local place, view = x:data_ptr(), x[{{3, 4}}]
    assert.equal(x, x:resize_(2, 2))
    assert.same({{0, 1}, {2, 3}}, x:tolist())
    assert.equal(place, x:data_ptr())
    assert.same({0, 1, 2, 3, 4, 5}, x:resize_({6}):tolist())
    assert.same({2, 3, 4, 5}, view:resize_(4):tolist())
  end)

  it("takes more where that is too small", function()
    local x = nl.tensor({{1, 2}, {3, 4}})
    local y = x:t()
    assert.same({{1, 2, 3}, {4, 0, 0}}, x:resize_(2, 3):tolist())
    assert.same({{1, 3}, {2, 4}}, y:tolist())
    assert.same({true, false, false}, nl.tensor({true}):resize_(3):tolist())
    assert.same({0, 0}, nl.empty(0):resize_(2):tolist())
    assert.equal(0, nl.ones(3):resize_(0):numel())
  end)

  it("changes shapes on the meta device", function()
    local x = nl.ones(2, {device = "meta"}):resize_(3, 5)
    assert.same({3, 5}, x.shape:totable())
    assert.is_true(x.is_meta)
  end)

  it("leaves graphs what they have saved", function()
    local w = nl.ones(3, {requires_grad = true})
    local x = nl.tensor({1.0, 2.0, 3.0})
    local y = (w * x):sum()
    x:resize_(100):fill_(7)
    y:backward()
    assert.same({1, 2, 3}, w.grad:tolist())
  end)

  it("takes another tensor's shape", function()
    local x = nl.tensor({1, 2, 3, 4})
    assert.same({{1, 2}, {3, 4}}, x:resize_as_(nl.ones(2, 2)):tolist())
  end)

  it("tells what it can't do, and changes nothing", function()
    local x = nl.ones(2, {requires_grad = true})
    assert.matches("resize_: the tensor requires a gradient", failure(x.resize_, x, 3))
    assert.matches("resize_: size 1 is no size but %-1", failure(x.resize_, nl.ones(2), -1))
    assert.matches("resize_: size 2 is no size but 1.5", failure(x.resize_, nl.ones(2), {1, 1.5}))
    local z = nl.ones(2)
    failure(z.resize_, z, 1 << 40, 1 << 40)
    assert.same({1, 1}, z:tolist())
  end)
end)
