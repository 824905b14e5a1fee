-- Ops whose way depends on how many elements there are, or on how they lie: each against another way to the same.
local nl = require "nnlua"
local tensors = require "support.tensors"

local near = tensors.assert_near
local F = nl.F

local function same(expected, actual)
  assert.is_true(nl.equal(expected, actual), "the tensors differ")
end

describe("ranks", function()
  local function sorted_at(x, k)
    local values, positions = x:sort(-1, {stable = true})
    return values:select(-1, k), positions:select(-1, k)
  end

  for _, n in ipairs {5, 40, 1000, 20000} do
    it(("are those of sorted rows of %d"):format(n), function()
      nl.manual_seed(1)
      for _, dtype in ipairs {nl.float32, nl.float64, nl.float16, nl.int64, nl.int16, nl.uint8} do
        local x = nl.randint(0, 200, {3, n}):sub(dtype == nl.uint8 and 0 or 100):to(dtype)
        for _, k in ipairs {1, n // 3 + 1, (n + 1) // 2, n} do
          local values, positions = x:kthvalue(k, -1)
          local wanted, places = sorted_at(x, k)
          same(wanted, values)
          same(places, positions)
        end
        same(sorted_at(x, (n + 1) // 2), (x:median(-1)))
      end
    end)
  end

  it("take rows that lie apart, and nan", function()
    local x = nl.randn(3000, 4)
    same(sorted_at(x.T:contiguous(), 1500), (x:median(1)))
    x[2700][3] = nl.nan
    local values, positions = x:median(1)
    assert.is_true(values[3]:isnan():item())
    assert.equal(2700, positions[3]:item())
    same(sorted_at(x:select(2, 3), 1500), (x:select(2, 3):nanmedian()))
  end)
end)

describe("true elements", function()
  it("are found in long lines of several dimensions", function()
    local x = nl.arange(2 * 3 * 2500):remainder(7):eq(3):reshape(2, 3, 2500)
    local flat = nl.arange(1, 2 * 3 * 2500 + 1)[x:flatten()]
    local rows = x:nonzero()
    same(flat, (rows:select(2, 1) - 1) * 7500 + (rows:select(2, 2) - 1) * 2500 + rows:select(2, 3))
    same(flat, x:flatten():nonzero():flatten())
    assert.equal(nl.Size {1, 0}, nl.tensor(true):nonzero().shape)
  end)

  it("are picked and put from tensors of any strides", function()
    local x, mask = nl.arange(12.0):reshape(3, 4), nl.arange(12):remainder(3):eq(0):reshape(4, 3)
    same(nl.tensor {0.0, 1.0, 2.0, 3.0}, x.T:masked_select(mask))
    same(nl.tensor {0.0, 1.0, 2.0, 3.0}, x:masked_select(mask.T))
    local turned = x.T:masked_scatter(mask, nl.tensor {20.0, 21.0, 22.0, 23.0})
    same(x.T:contiguous():masked_scatter(mask, nl.tensor {20.0, 21.0, 22.0, 23.0}), turned)
    assert.equal(20, turned[1][1]:item())
  end)
end)

describe("numbers made from their places", function()
  it("are exact where they are few and where they are many", function()
    for _, n in ipairs {1, 2, 7, 256, 257, 3000} do
      local place = nl.arange(n, {dtype = nl.float64})
      local angle = place * (2 * math.pi / n)
      local kinds = {
        hann_window = angle:cos() * -0.5 + 0.5, hamming_window = angle:cos() * -0.46 + 0.54,
        blackman_window = angle:cos() * -0.5 + 0.42 + (angle * 2):cos() * 0.08,
        bartlett_window = -(place * 2 / n - 1):abs() + 1,
      }
      for name, wanted in pairs(kinds) do
        if n == 1 then wanted = nl.ones(1, {dtype = nl.float64}) end
        near(wanted, nl[name](n, {dtype = nl.float64}), 1e-15)
        near(wanted, nl[name](n):double(), 1e-7)
      end
      local up = (n + 1) // 2
      local wanted = nl.cat({place:narrow(1, 1, up), place:narrow(1, up + 1, n - up) - n}) / n
      near(wanted, nl.fft.fftfreq(n, {dtype = nl.float64}), 1e-15)
      near(nl.arange(n // 2 + 1, {dtype = nl.float64}) / n, nl.fft.rfftfreq(n, {dtype = nl.float64}), 1e-15)
      near(place * 0.25 + 3, nl.range(3, 3 + (n - 1) * 0.25, 0.25, {dtype = nl.float64}), 0)
    end
  end)
end)

describe("distances of rows", function()
  it("are the same with a gradient and without", function()
    for _, p in ipairs {1, 2} do
      for _, n in ipairs {1, 3, 8, 37, 300} do
        local x, z = nl.randn(6, n, {dtype = nl.float64}), nl.randn(2, 1, 4, n, {dtype = nl.float64})
        near(nl.pdist(x:clone():requires_grad_(), p):detach(), nl.pdist(x, p), 1e-12)
        near(nl.cdist(x:clone():requires_grad_(), z, p):detach(), nl.cdist(x, z, p), 1e-6)
      end
    end
    assert.equal(nl.Size {0}, nl.pdist(nl.randn(1, 5)).shape)
    near(nl.zeros(3), nl.pdist(nl.zeros(3, 0)), 0)
    near(nl.tensor {4.0}, nl.pdist(nl.tensor({{0.0, 9.0, 3.0}, {1.0, 9.0, 0.0}}), 1), 0)
  end)
end)

describe("slices that meet in places", function()
  it("are combined as their elements are", function()
    local x, source = nl.randn(5, 4, 3, {dtype = nl.float64}), nl.randn(5, 6, 3, {dtype = nl.float64})
    local index = nl.tensor {2, 4, 2, 1, 2, 4}
    local wide = index:reshape(1, 6, 1):expand(5, 6, 3)
    for _, reduce in ipairs {"prod", "mean", "amax", "amin"} do
      for _, include in ipairs {true, false} do
        near(x:scatter_reduce(2, wide, source, reduce, {include_self = include}),
          x:index_reduce(2, index, source, reduce, {include_self = include}), 1e-15)
      end
    end
    assert.has_error(function() x:index_reduce(2, nl.tensor {2, 5, 2, 1, 2, 4}, source, "prod") end)
  end)
end)

describe("copies of short runs", function()
  it("have every element in its place", function()
    local x = nl.arange(60):reshape(3, 20)
    local wanted = nl.stack({x, x, x}, 3):reshape(3, 60)
    same(wanted, x:repeat_interleave(3, 2))
    local images = nl.arange(2 * 8 * 5 * 6):reshape(2, 8, 5, 6)
    local by_hand = images:reshape(2, 2, 2, 2, 5, 6):permute(1, 2, 5, 3, 6, 4):reshape(2, 2, 10, 12)
    same(by_hand, F.pixel_shuffle(images, 2))
    for h = 1, 10 do
      for w = 1, 12 do
        local channel = (h - 1) % 2 * 2 + (w - 1) % 2 + 1
        assert.equal(images[2][channel][(h + 1) // 2][(w + 1) // 2]:item(), by_hand[2][1][h][w]:item())
      end
    end
  end)
end)

describe("windows at random", function()
  it("must lie within the image", function()
    local x = nl.randn(1, 1, 6, 6)
    assert.has_error(function()
      F.fractional_max_pool2d(x, 2, {output_size = 3, _random_samples = nl.full({1, 1, 2}, nl.nan)})
    end)
  end)
end)

describe("images sampled where their elements are", function()
  it("stay what they are", function()
    for _, sizes in ipairs {{2, 3, 20, 25}, {1, 2, 6, 9, 8}} do
      local x, n = nl.randn(sizes, {dtype = nl.float64}):requires_grad_(), #sizes - 2
      local theta = nl.eye(n, n + 1, {dtype = nl.float64}):expand(sizes[1], n, n + 1)
      local grid = F.affine_grid(theta, sizes, {align_corners = true})
      for _, mode in ipairs(n == 2 and {"bilinear", "nearest", "bicubic"} or {"bilinear", "nearest"}) do
        local y = F.grid_sample(x, grid, mode, {align_corners = true})
        near(x:detach(), y, 1e-12)
        local dx = nl.autograd.grad((y * y):sum() / 2, x)
        near(x:detach(), dx, 1e-12)
      end
    end
  end)
end)

describe("places beyond an image", function()
  it("read nothing, whatever stands at its edge", function()
    local x = nl.full({1, 1, 2, 2}, math.huge)
    local y = F.grid_sample(x, nl.tensor {{{{5.0, 5.0}}}}, {align_corners = false})
    same(nl.zeros(1), y:flatten())
  end)
end)
