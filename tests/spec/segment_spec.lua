-- Segments and grids of bins, against PyTorch 2.15.
local nl = require "nnlua"

local x = nl.arange(8.0)

local function reduced(reduce, options) return nl.segment_reduce(x, reduce, options):tolist() end

describe("segment_reduce", function()
  it("takes lengths, and segments without elements", function()
    local lengths = nl.tensor({3, 0, 5})
    assert.same({3, 0, 25}, reduced("sum", {lengths = lengths}))
    assert.same({2, -math.huge, 7}, reduced("max", {lengths = lengths}))
    assert.same({0, math.huge, 3}, reduced("min", {lengths = lengths}))
    assert.same({0, 1, 2520}, reduced("prod", {lengths = lengths}))
    local mean = reduced("mean", {lengths = lengths})
    assert.same({1, 5}, {mean[1], mean[3]})
    assert.is_true(mean[2] ~= mean[2])
  end)

  it("takes offsets from 1, an initial value and further axes", function()
    assert.same({3, 12}, reduced("sum", {offsets = nl.tensor({2, 4, 7})}))
    assert.same({2, 1, 7}, reduced("max", {lengths = nl.tensor({3, 0, 5}), initial = 1}))
    local y = nl.segment_reduce(x:reshape(2, 4), "max", {lengths = nl.tensor({{2, 2}, {1, 3}}), axis = 2})
    assert.same({{1, 3}, {4, 7}}, y:tolist())
  end)

  it("shares the gradient of an extreme, none of it with initial", function()
    local a = nl.tensor({2.0, 2, 1, 0, 0}, {requires_grad = true})
    local y = nl.segment_reduce(a, "max", {lengths = nl.tensor({3, 2}), initial = 2})
    assert.same({0.5, 0.5, 0, 0, 0}, nl.autograd.grad(y:sum(), a):tolist())
  end)

  it("refuses lengths that don't fit, unless told not to look", function()
    assert.error_matches(function() reduced("sum", {lengths = nl.tensor({3, 4})}) end, "must add up to the 8 places")
    assert.error_matches(function() reduced("sum", {lengths = nl.tensor({-3, 11})}) end, "negative")
    assert.same({3, 18}, reduced("sum", {lengths = nl.tensor({3, 4}), unsafe = true}))
    assert.error_matches(function() reduced("sum") end, "give lengths or offsets")
    assert.error_matches(function() reduced("median", {lengths = nl.tensor({8})}) end, "reduce is")
  end)
end)

describe("histogramdd", function()
  local points = nl.tensor({{0.0, 1}, {1, 0}, {1, 1}, {0.5, 0.2}})

  it("takes a count and a range", function()
    local hist, edges = nl.histogramdd(points, 2, {range = {0.0, 1.0, 0.0, 2.0}})
    assert.same({{0, 1}, {2, 1}}, hist:tolist())
    assert.same({{0, 0.5, 1}, {0, 1, 2}}, {edges[1]:tolist(), edges[2]:tolist()})
  end)

  it("takes edges, weights and a density", function()
    local hist = nl.histogramdd(points, {nl.tensor({0.0, 0.5, 1}), nl.tensor({0.0, 1})}, {
      weight = nl.tensor({1.0, 2, 3, 4}), density = true,
    })
    assert.is_true(nl.allclose(hist, nl.tensor({{0.2}, {1.8}})))
  end)

  it("takes bins without an inside, and no points", function()
    assert.same({0, 1}, {nl.histogramdd(points, {nl.tensor({0.0}), nl.tensor({0.0, 1})}).shape:unpack()})
    assert.same({{0}, {0}}, nl.histogramdd(nl.zeros(0, 2), {2, 1}):tolist())
  end)

  it("says what doesn't fit", function()
    assert.error_matches(function() nl.histogramdd(points, {1, 2, 3}) end, "2 are wanted")
    assert.error_matches(function() nl.histogramdd(points, {0, 1}) end, "positive integers")
    assert.error_matches(function() nl.histogramdd(points:long(), 2) end, "float32 or float64")
    assert.error_matches(function() nl.histogramdd(points, 2, {range = {0, 1}}) end, "4 are wanted")
    assert.error_matches(function() nl.histogramdd(points, 2, {weight = nl.ones(3)}) end, "weight must be")
  end)
end)

describe("fill_diagonal_", function()
  it("wraps around tall matrices", function()
    local filled = nl.zeros(7, 3):fill_diagonal_(1, true)
    assert.same({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, filled:tolist())
    assert.equal(3, nl.zeros(6, 3):t():contiguous():t():fill_diagonal_(1):sum():item())
    assert.error_matches(function() nl.zeros(3, 2, 3):fill_diagonal_(1) end, "all dimensions must be equal")
  end)
end)
