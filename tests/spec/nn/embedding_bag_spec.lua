-- Bags of embeddings.
local nl = require "nnlua"

local F = nl.nn.functional

describe("embedding_bag", function()
  it("gives zeros for bags of nothing, and the table a gradient of zeros", function()
    local function positions(...) return nl.zeros({...}, {dtype = nl.int64}) end
    for _, mode in ipairs {"sum", "mean", "max"} do
      for _, case in ipairs {
        {positions(2, 0), nil, 2}, {positions(0, 3), nil, 0}, {positions(0), nl.tensor {1, 1, 1}, 3},
      } do
        local weight = nl.ones(3, 4, {requires_grad = true})
        local y = F.embedding_bag(case[1], weight, {offsets = case[2], mode = mode, padding_idx = 1})
        assert.equal(nl.Size {case[3], 4}, y.shape)
        assert.equal(0, y:abs():sum():item())
        y:sum():backward()
        assert.is_true(nl.equal(nl.zeros(3, 4), weight.grad))
      end
    end
  end)
end)
