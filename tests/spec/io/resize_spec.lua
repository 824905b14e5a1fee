-- nl.io.resize, as Pillow does it, and make_grid, as torchvision does.
local nl = require "nnlua"

local cases = dofile "tests/files/pictures.lua".resized

local function from_hex(hex)
  return (hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

describe("nl.io.resize", function()
  it("gives Pillow's bits for bytes and floats by each filter", function()
    for _, case in ipairs(cases) do
      local bytes = nl.frombuffer(from_hex(case.bytes), nl.uint8):view(3, case.from[1], case.from[2])
      local floats = nl.frombuffer(from_hex(case.floats), nl.float32):view(case.from)
      for _, filter in ipairs {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"} do
        local want = nl.frombuffer(from_hex(case[filter][1]), nl.uint8):view(3, case.to[1], case.to[2])
        local what = ("%s, %s to %s"):format(filter, nl.Size(case.from), nl.Size(case.to))
        local turned = bytes:permute(2, 3, 1):contiguous():permute(3, 1, 2)
        assert.is_true(nl.equal(want, nl.io.resize(bytes, case.to, filter)), what)
        assert.is_true(nl.equal(want, nl.io.resize(turned, case.to, filter)), what)
        want = nl.frombuffer(from_hex(case[filter][2]), nl.float32):view(case.to)
        assert.is_true(nl.equal(want, nl.io.resize(floats, case.to, {interpolation = filter})), what .. ", floats")
      end
    end
  end)

  it("takes the shorter side, and any dimensions before", function()
    local x = nl.zeros(2, 3, 6, 8)
    assert.equal("[2, 3, 3, 4]", tostring(nl.io.resize(x, 3).shape))
    assert.equal("[2, 3, 4, 3]", tostring(nl.io.resize(x:transpose(3, 4), 3).shape))
    assert.equal("[2, 3, 9, 5]", tostring(nl.io.resize(x, {9, 5}).shape))
    local y = nl.rand(2, 3, 6, 8)
    assert.is_true(nl.equal(nl.io.resize(y, {3, 3})[2], nl.io.resize(y[2], {3, 3})))
  end)

  it("doesn't depend on the number of threads", function()
    local x = nl.rand(3, 200, 300)
    local threads = nl.get_num_threads()
    local one = nl.io.resize(x, {77, 410}, "lanczos")
    nl.set_num_threads(threads == 1 and 2 or 1)
    assert.is_true(nl.equal(one, nl.io.resize(x, {77, 410}, "lanczos")))
    nl.set_num_threads(threads)
  end)

  it("refuses what it can't resize", function()
    assert.error_matches(function() nl.io.resize(nl.zeros(3, 4), {0, 2}) end, "io%.resize: size must be {h")
    assert.error_matches(function() nl.io.resize(nl.zeros(3, 4), {1, 2, 3}) end, "size must be")
    assert.error_matches(function() nl.io.resize(nl.zeros(3, 4):double(), 2) end, "uint8 or float32, not float64")
    assert.error_matches(function() nl.io.resize(nl.zeros(3), 2) end, "with pixels is wanted")
    assert.error_matches(function() nl.io.resize(nl.zeros(3, 0, 4), 2) end, "with pixels is wanted")
    assert.error_matches(function() nl.io.resize(nl.zeros(3, 4), 2, "cubic") end, "interpolation must be nearest, box")
    assert.is_false(pcall(nl.io.resize, nl.zeros(3, 4), {1 << 40, 1 << 40}))
    assert.is_false(pcall(nl.io.resize, nl.zeros(3, 4), {1 << 62, 1 << 62}))
  end)
end)

-- torchvision.utils.make_grid
describe("nl.io.make_grid", function()
  it("sets pictures side by side", function()
    local x = nl.arange(1, 13):view(3, 1, 2, 2)
    local grid = nl.io.make_grid(x, {nrow = 2, padding = 1, pad_value = -1})
    assert.equal("[3, 7, 7]", tostring(grid.shape))
    assert.same({{-1, -1, -1, -1, -1, -1, -1}, {-1, 1, 2, -1, 5, 6, -1}, {-1, 3, 4, -1, 7, 8, -1},
      {-1, -1, -1, -1, -1, -1, -1}, {-1, 9, 10, -1, -1, -1, -1}, {-1, 11, 12, -1, -1, -1, -1},
      {-1, -1, -1, -1, -1, -1, -1}}, grid[2]:tolist())
    assert.equal("[3, 6, 26]", tostring(nl.io.make_grid({nl.ones(3, 2, 6), nl.ones(3, 2, 6), nl.ones(3, 2, 6)}).shape))
    assert.equal("[3, 4, 5]", tostring(nl.io.make_grid(nl.ones(4, 5)).shape))
    assert.equal("[2, 4, 5]", tostring(nl.io.make_grid(nl.ones(2, 4, 5)).shape))
  end)

  it("stretches values", function()
    local x = nl.tensor({{-1.0, 1.0}, {3.0, 7.0}}):view(2, 1, 1, 2)
    local grid = nl.io.make_grid(x, {padding = 0, normalize = true})
    assert.same({0.0, 0.25, 0.5, 1.0}, grid[1]:flatten():tolist())
    grid = nl.io.make_grid(x, {padding = 0, normalize = true, scale_each = true})
    assert.same({0.0, 1.0, 0.0, 1.0}, grid[1]:flatten():tolist())
    grid = nl.io.make_grid(x, {padding = 0, normalize = true, value_range = {0, 4}})
    assert.same({0.0, 0.25, 0.75, 1.0}, grid[1]:flatten():tolist())
    assert.error_matches(function() nl.io.make_grid(nl.ones(2)) end, "2 to 4 dimensions")
    assert.error_matches(function() nl.io.make_grid(x, 0) end, "nrow must be from 1 on")
    assert.error_matches(function() nl.io.make_grid(x:long(), {normalize = true}) end, "pictures must be floats")
  end)
end)
