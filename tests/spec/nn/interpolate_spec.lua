-- Interpolation with antialias and of bytes, against PyTorch 2.15.
local nl = require "nnlua"
local F = nl.F

local function near(expected, actual, tolerance)
  assert.is_true(nl.allclose(nl.tensor(expected, {dtype = actual.dtype}), actual, tolerance or 1e-5, 1e-5),
    tostring(actual))
end

local function image()
  return nl.tensor({{0.0, 7, 3, 10, 6}, {2, 9, 5, 1, 8}, {4, 0, 7, 3, 10}, {6, 2, 9, 5, 1}}):reshape(1, 1, 4, 5)
end

local smaller = {
  {"bilinear", false, {{3.7551, 5.12698, 6.44898}, {3.53061, 5.47619, 4.87755}},
    {0.244898, 0.37415, 0.476191, 0.741497, 0.734694}},
  {"bilinear", true, {{4.16071, 5.21875, 6.40625}, {4.04762, 5.41667, 4.08333}},
    {0.107143, 0.169643, 0.223214, 0.375, 0.625}},
  {"bicubic", false, {{3.76656, 5.17799, 6.53789}, {3.49078, 5.42581, 4.85092}},
    {0.153967, 0.283097, 0.425235, 0.685131, 0.646784}},
  {"bicubic", true, {{3.97844, 5.29634, 6.73257}, {4.02256, 5.53018, 3.33119}},
    {-0.0136773, 0.00286173, 0.0456098, 0.160782, 0.348378}},
  {"lanczos", false, {{3.7935, 5.21696, 6.52367}, {3.56932, 5.24374, 4.85775}},
    {0.0867812, 0.178374, 0.340694, 0.602215, 0.537656}},
}

local of_bytes = {
  {"bilinear", false, {{62, 54, 109, 165}, {197, 61, 52, 108}, {140, 196, 123, 51}},
    {212, 129, 56, 30, 56, 83, 109, 136}},
  {"bilinear", true, {{68, 51, 104, 156}, {181, 96, 57, 103}, {149, 188, 108, 50}},
    {212, 129, 56, 30, 56, 83, 109, 136}},
  {"bicubic", false, {{57, 48, 113, 169}, {204, 53, 54, 110}, {135, 213, 123, 45}},
    {252, 139, 38, 18, 47, 83, 110, 136}},
  {"bicubic", true, {{66, 39, 110, 162}, {194, 93, 44, 106}, {147, 204, 103, 42}},
    {241, 135, 38, 23, 53, 84, 110, 138}},
  {"lanczos", true, {{63, 32, 115, 165}, {205, 90, 35, 111}, {141, 216, 101, 36}},
    {255, 152, 33, 10, 50, 85, 109, 136}},
}

describe("interpolate", function()
  for _, case in ipairs(smaller) do
    local mode, align_corners, expected, gradient = table.unpack(case)
    it(("takes in all places with antialias: %s, align_corners %s"):format(mode, align_corners), function()
      local x = image():requires_grad_()
      local y = F.interpolate(x, {size = {2, 3}, mode = mode, align_corners = align_corners, antialias = true})
      near(expected, y[{1, 1}])
      local dx = nl.autograd.grad((y * nl.arange(1, 7):reshape(1, 1, 2, 3)):sum(), x)
      near(gradient, dx[{1, 1, 1}])
    end)
  end

  for _, case in ipairs(of_bytes) do
    local mode, antialias, expected, row = table.unpack(case)
    it(("rounds bytes: %s, antialias %s"):format(mode, antialias), function()
      local x = (nl.arange(30) * 37 % 256):byte():reshape(1, 1, 5, 6)
      local y = F.interpolate(x, {size = {3, 4}, mode = mode, antialias = antialias})
      assert.same(expected, y[{1, 1}]:tolist())
      y = F.interpolate(x, {scale_factor = 1.4, mode = mode, antialias = antialias})
      assert.same(row, y[{1, 1, 3}]:tolist())
    end)
  end

  it("lets images of one column become smaller as those of one row do", function()
    local column = nl.arange(8.0):reshape(1, 1, 8, 1)
    local y = F.interpolate(column, {size = {3, 1}, mode = "bilinear", antialias = true})
    local row = F.interpolate(column.mT, {size = {1, 3}, mode = "bilinear", antialias = true})
    near(row:flatten():tolist(), y:flatten())
    assert.is_true(y[{1, 1, 1, 1}]:item() < y[{1, 1, 3, 1}]:item())
  end)

  it("copies what keeps its size, whatever the factor", function()
    for _, mode in ipairs {"bilinear", "nearest-exact"} do
      local y = F.interpolate(image(), {scale_factor = 1.1, mode = mode})
      assert.is_true(nl.equal(image(), y))
    end
  end)

  it("keeps channels last", function()
    local x = nl.ones(2, 3, 4, 5):byte():contiguous(nl.channels_last)
    local y = F.interpolate(x, {size = {2, 3}, mode = "bilinear", antialias = true})
    assert.same({18, 1, 9, 3}, {y:stride():unpack()})
  end)

  it("says which modes take antialias and bytes", function()
    local function fails(pattern, x, options)
      assert.error_matches(function() F.interpolate(x, options) end, pattern)
    end
    fails("antialias goes with the modes", image(), {size = {2, 3}, antialias = true})
    fails("takes antialias only", image(), {size = {2, 3}, mode = "lanczos"})
    fails("the modes \"bilinear\"", nl.ones(1, 1, 4):byte(), {size = 2, mode = "linear"})
    fails("takes floating point tensors", image():long(), {size = {2, 3}, mode = "bilinear"})
  end)
end)
