-- Maxima of windows against loops over their elements: kernels that take lines by vectors have edges of their own.
local nl = require "nnlua"

local F = nl.F

--- How many windows fit into a size, as PyTorch tells it.
local function results(size, o)
  local span = size + 2 * o.padding - o.dilation * (o.kernel - 1) - 1
  local n = (o.ceil_mode and -(-span // o.stride) or span // o.stride) + 1
  if o.ceil_mode and (n - 1) * o.stride >= size + o.padding then n = n - 1 end
  return n
end

--- The maximum of the window at a place of a table of rows; nan before all.
local function largest(rows, y, x, o)
  local best = -math.huge
  for i = 0, o.kernel - 1 do
    local row = rows[(y - 1) * o.stride - o.padding + i * o.dilation + 1] or {}
    for j = 0, o.kernel - 1 do
      local value = row[(x - 1) * o.stride - o.padding + j * o.dilation + 1]
      if value and (value > best or value ~= value) then best = value end
      if best ~= best then return best end
    end
  end
  return best
end

local function expected(t, o)
  local images = {}
  for i, rows in ipairs(t:tolist()) do
    images[i] = {}
    for y = 1, results(#rows, o) do
      images[i][y] = {}
      for x = 1, results(#rows[1], o) do images[i][y][x] = largest(rows, y, x, o) end
    end
  end
  return images
end

local function check(t, o)
  local got = F.max_pool2d(t, {kernel_size = o.kernel, stride = o.stride, padding = o.padding, dilation = o.dilation,
    ceil_mode = o.ceil_mode})
  local want = nl.tensor(expected(t, o), {dtype = nl.float64})
  assert.is_true(nl.allclose(got:double(), want, {rtol = 0, atol = 0, equal_nan = true}),
    ("%s of %s: kernel %d, stride %d, padding %d, dilation %d, ceil_mode %s"):format(t.shape, t.dtype, o.kernel,
      o.stride, o.padding, o.dilation, o.ceil_mode))
end

--- Some numbers: whole ones that integers hold, among floats nan and infinities.
local function numbers(shape, dtype)
  local t = nl.randint(0, 100, shape):to(dtype)
  if not dtype.is_floating_point then return t end
  local rare = nl.rand(shape)
  t = nl.where(rare:lt(0.02), nl.full_like(t, 0 / 0), t - 50)
  return nl.where(rare:gt(0.95), nl.full_like(t, -math.huge), t)
end

describe("max_pool2d", function()
  for _, dtype in ipairs {nl.float32, nl.float64, nl.float16, nl.uint8, nl.int8, nl.int32, nl.int64} do
    it("gives the largest of each window of " .. tostring(dtype), function()
      nl.manual_seed(1)
      for _, size in ipairs {{7, 7}, {5, 29}, {9, 64}, {12, 3}, {33, 40}} do
        for _, o in ipairs {{3, 2, 0, 1}, {3, 2, 1, 1}, {3, 1, 1, 1}, {2, 2, 0, 1}, {2, 1, 1, 1}, {3, 3, 1, 1},
            {2, 2, 1, 2}, {1, 2, 0, 1}, {5, 2, 2, 1}, {4, 3, 2, 1}, {3, 1, 1, 2}} do
          local smallest = math.min(size[1], size[2])
          for _, ceil_mode in ipairs {false, true} do
            local case = {kernel = o[1], stride = o[2], padding = o[3], dilation = o[4], ceil_mode = ceil_mode}
            if (o[1] - 1) * o[4] + 1 <= smallest + 2 * o[3] then
              check(numbers({3, size[1], size[2]}, dtype), case)
            end
          end
        end
      end
    end)
  end

  it("takes lines that are longer than what is kept of them", function()
    nl.manual_seed(2)
    for _, width in ipairs {900, 2100, 5000} do
      check(numbers({2, 4, width}, nl.float32), {kernel = 3, stride = 2, padding = 1, dilation = 1, ceil_mode = false})
      check(numbers({2, 4, width}, nl.uint8), {kernel = 3, stride = 1, padding = 1, dilation = 1, ceil_mode = false})
    end
  end)

  it("is the same on several threads", function()
    nl.manual_seed(3)
    local t, threads = numbers({64, 31, 45}, nl.float32), nl.get_num_threads()
    local options = {kernel_size = 3, stride = 2, padding = 1}
    nl.set_num_threads(1)
    local one = F.max_pool2d(t, options)
    nl.set_num_threads(3)
    local three = F.max_pool2d(t, options)
    nl.set_num_threads(threads)
    assert.is_true(nl.allclose(one, three, {rtol = 0, atol = 0, equal_nan = true}))
  end)
end)
