-- Convolutions and their gradients, of shapes that every way of computing them gets, are what the sums say that define
-- them. The inputs are small whole numbers, so that every sum is exact in every order.
local nl = require "nnlua"
local nn = nl.nn
local F = nl.F

--- What a convolution is of, for each geometry below.
local function drawn(shape, dtype)
  local function part() return nl.randint(-4, 5, shape) end
  if dtype.is_complex then return nl.complex(part():float(), part():float()) end
  return part():to(dtype)
end

--- Calls f(image, row, line, column, channel, ky, kx, at_line, at_column) for each product that conv2d adds up, all
--- from 1; `channel` counts within the group.
local function each_product(c, f)
  local rows, channels = c.out // c.groups, c.channels // c.groups
  for image = 1, c.images do
    for row = 1, c.out do
      for line = 1, c.result[1] do
        for column = 1, c.result[2] do
          for channel = 1, channels do
            for ky = 1, c.kernel[1] do
              for kx = 1, c.kernel[2] do
                local y = (line - 1) * c.stride[1] - c.padding[1] + (ky - 1) * c.dilation[1] + 1
                local x = (column - 1) * c.stride[2] - c.padding[2] + (kx - 1) * c.dilation[2] + 1
                if y >= 1 and y <= c.size[1] and x >= 1 and x <= c.size[2] then
                  f(image, row, line, column, channel, ky, kx, (row - 1) // rows * channels + channel, y, x)
                end
              end
            end
          end
        end
      end
    end
  end
end

--- Nested tables of zeros.
local function zeros(a, b, c, d)
  local t = {}
  for i = 1, a do
    if b then t[i] = zeros(b, c, d) else t[i] = 0.0 end
  end
  return t
end

--- The result and both gradients by definition, as tensors.
local function by_definition(c, x, w, dy, dtype)
  x, w, dy = x:tolist(), w:tolist(), dy:tolist()
  local y = zeros(c.images, c.out, c.result[1], c.result[2])
  local dx = zeros(c.images, c.channels, c.size[1], c.size[2])
  local dw = zeros(c.out, c.channels // c.groups, c.kernel[1], c.kernel[2])
  each_product(c, function(n, row, line, column, channel, ky, kx, from, at_line, at_column)
    local input, weight, grad = x[n][from][at_line][at_column], w[row][channel][ky][kx], dy[n][row][line][column]
    y[n][row][line][column] = y[n][row][line][column] + input * weight
    dx[n][from][at_line][at_column] = dx[n][from][at_line][at_column] + grad * weight
    dw[row][channel][ky][kx] = dw[row][channel][ky][kx] + grad * input
  end)
  return nl.tensor(y, {dtype = dtype}), nl.tensor(dx, {dtype = dtype}), nl.tensor(dw, {dtype = dtype})
end

--- A copy whose channels lie side by side.
local function last_channels(x) return x:permute(1, 3, 4, 2):contiguous():permute(1, 4, 2, 3) end

local function pair(v) return type(v) == "table" and v or {v, v} end

local function geometry(images, channels, out, size, kernel, options)
  local c = {images = images, channels = channels, out = out, size = pair(size), kernel = pair(kernel),
    stride = pair(options.stride or 1), padding = pair(options.padding or 0), dilation = pair(options.dilation or 1),
    groups = options.groups or 1, result = {}}
  for i = 1, 2 do
    local extent = c.dilation[i] * (c.kernel[i] - 1) + 1
    c.result[i] = (c.size[i] + 2 * c.padding[i] - extent) // c.stride[i] + 1
  end
  return c
end

--- images, channels, channels of the result, size, kernel, options
local cases = {
  ["maps smaller than a vector"] = {5, 3, 14, 2, 3, {padding = 1}},
  ["maps of some lines"] = {3, 4, 13, 4, 3, {padding = 1}},
  ["maps of an odd size"] = {3, 5, 15, 7, 3, {padding = 1}},
  ["maps that are cut into lines"] = {2, 2, 12, {40, 19}, 3, {padding = 1}},
  ["lines that are cut"] = {1, 2, 12, {2, 700}, {1, 3}, {padding = {0, 1}}},
  ["more channels than go at a time"] = {2, 40, 13, 3, 3, {padding = 1}},
  ["strides"] = {2, 3, 14, 9, 3, {stride = 2, padding = 1}},
  ["strides larger than the kernel"] = {2, 3, 13, 8, 2, {stride = 3}},
  ["strides that differ"] = {2, 3, 14, {9, 12}, {3, 4}, {stride = {1, 3}, padding = {0, 2}}},
  ["dilations"] = {2, 3, 14, 9, 3, {dilation = 2, padding = 2}},
  ["dilations and strides"] = {2, 3, 12, {11, 10}, 3, {dilation = {2, 3}, padding = {1, 3}, stride = {2, 3}}},
  ["kernels wider than a vector"] = {2, 2, 12, {4, 30}, {2, 19}, {padding = {0, 4}}},
  ["more padding than kernel"] = {2, 2, 12, 3, 2, {padding = 3}},
  ["groups"] = {2, 6, 36, 5, 3, {groups = 3, padding = 1}},
  ["groups of one channel"] = {2, 6, 6, 9, 3, {groups = 6, padding = 1}},
  ["one channel a group, many lines"] = {2, 2, 2, {41, 37}, 3, {groups = 2, padding = 1}},
  ["one channel a group, a stride"] = {2, 3, 3, {18, 37}, 3, {groups = 3, padding = 1, stride = 2}},
  ["one channel a group, an even size and stride"] = {2, 3, 3, {16, 32}, 3, {groups = 3, padding = 1, stride = 2}},
  ["one channel a group, 5x5"] = {2, 3, 3, {13, 20}, 5, {groups = 3, padding = 2}},
  ["one channel a group, 5x5 with a stride"] = {2, 3, 3, {13, 40}, 5, {groups = 3, padding = 2, stride = 2}},
  ["one channel a group, 7x7 with strides"] = {1, 4, 4, {15, 41}, 7, {groups = 4, padding = 3, stride = {1, 2}}},
  ["one channel a group, even kernels"] = {2, 3, 3, {9, 10}, {4, 2}, {groups = 3, padding = 1, stride = 2}},
  ["one channel a group, strides over the kernel"] = {2, 3, 3, {11, 12}, {2, 1}, {groups = 3, stride = {3, 2}}},
  ["one channel a group, a long stride"] = {2, 3, 3, {9, 19}, 3, {groups = 3, padding = 1, stride = {2, 3}}},
  ["one channel a group, dilations"] = {2, 3, 3, {12, 33}, 3, {groups = 3, padding = {2, 3}, dilation = {2, 3}}},
  ["one channel a group, dilations and strides"] = {2, 3, 3, {14, 39}, 3,
    {groups = 3, padding = {2, 3}, dilation = {2, 3}, stride = {3, 2}}},
  ["one channel a group, strides as dilations"] = {2, 3, 3, {14, 39}, {3, 4},
    {groups = 3, padding = {2, 3}, dilation = 2, stride = 2}},
  ["one channel a group, more padding than kernel"] = {2, 3, 3, {3, 5}, 3, {groups = 3, padding = 4}},
  ["one channel a group, one line"] = {2, 3, 3, {1, 300}, {1, 9}, {groups = 3, padding = {0, 4}}},
  ["one channel a group, one line with a stride"] = {2, 3, 3, {1, 600}, {1, 9}, {groups = 3, stride = 2}},
  ["one channel a group, one column"] = {2, 3, 3, {40, 1}, {5, 1}, {groups = 3, padding = {2, 0}}},
  ["one channel a group, a wide kernel"] = {2, 2, 2, {4, 40}, {2, 13}, {groups = 2, padding = {0, 6}}},
  ["one channel and two rows a group"] = {2, 3, 6, {9, 18}, 3, {groups = 3, padding = 1}},
  ["one channel and two rows a group, a stride"] = {2, 3, 6, {9, 36}, 3, {groups = 3, padding = 1, stride = 2}},
  ["1x1"] = {3, 9, 17, 5, 1, {}},
  ["1x1 of one image"] = {1, 9, 17, {5, 6}, 1, {}},
  ["1x1 with a stride"] = {3, 9, 17, 5, 1, {stride = 2}},
  ["1x1 with padding"] = {2, 9, 17, 3, 1, {padding = 1}},
  ["kernels of the image's size"] = {6, 3, 14, 4, 4, {}},
  ["two places"] = {1, 9, 20, {3, 4}, 3, {}},
  ["two places of two images"] = {2, 9, 20, {2, 3}, 3, {padding = 1, stride = {3, 2}}},
  ["few places far apart"] = {1, 9, 20, {5, 6}, 3, {dilation = {2, 3}, padding = {1, 2}, stride = 2}},
  ["few places of many images"] = {31, 9, 20, {3, 2}, 3, {padding = 1, stride = {2, 1}}},
  ["few places of many taps"] = {7, 1, 17, {1, 40}, {1, 16}, {stride = {1, 8}}},
  ["many images with small maps"] = {13, 5, 33, 4, 3, {padding = 1}},
  ["many images, more channels than go at a time,"] = {5, 40, 17, {3, 6}, 3, {padding = 1}},
  ["many images with strides and dilations"] = {9, 18, 20, {7, 8}, 3,
    {stride = 2, padding = {1, 2}, dilation = {1, 2}}},
  ["many images and groups"] = {6, 34, 36, 5, {2, 3}, {groups = 2, padding = {1, 0}}},
  ["many images with places that no tap meets"] = {8, 17, 16, 8, 2, {stride = 3}},
  ["few images and many terms"] = {2, 30, 30, {6, 11}, 3, {padding = 1}},
  ["few images and many terms, strides"] = {2, 17, 41, {9, 14}, 5, {stride = 2, padding = 2}},
  ["few images, many terms and groups"] = {1, 34, 34, {13, 24}, {5, 8},
    {padding = {1, 3}, groups = 2, dilation = {1, 2}, stride = {1, 2}}},
  ["places of few rows and some channels"] = {10, 32, 17, {7, 8}, 3, {padding = 1}},
  ["few channels of the result"] = {2, 3, 5, 11, 5, {padding = 2}},
  ["one channel"] = {2, 1, 12, 11, 5, {}},
}

local function options_of(c)
  return {stride = c.stride, padding = c.padding, dilation = c.dilation, groups = c.groups}
end

describe("a convolution", function()
  local threads = nl.get_num_threads()
  before_each(function() nl.manual_seed(5) end)
  after_each(function() nl.set_num_threads(threads) end)

  for name, case in pairs(cases) do
    for _, dtype in ipairs {nl.float32, nl.float64} do
      it(("of %s has the sums that define it, in %s"):format(name, tostring(dtype)), function()
        local c = geometry(table.unpack(case))
        local x = drawn({c.images, c.channels, c.size[1], c.size[2]}, dtype)
        local w = drawn({c.out, c.channels // c.groups, c.kernel[1], c.kernel[2]}, dtype)
        local dy = drawn({c.images, c.out, c.result[1], c.result[2]}, dtype)
        local bias = drawn({c.out}, dtype)
        local want, want_dx, want_dw = by_definition(c, x, w, dy, dtype)
        for n = 1, 2 do
          nl.set_num_threads(n)
          for _, channels_last in ipairs {false, true} do
            local from = (channels_last and last_channels(x) or x:clone()):requires_grad_()
            local weight = w:clone():requires_grad_()
            local y = F.conv2d(from, weight, bias, options_of(c))
            assert.is_true(nl.equal(want + bias:view(1, -1, 1, 1), y))
            y:backward(dy)
            assert.is_true(nl.equal(want_dx, from.grad))
            assert.is_true(nl.equal(want_dw, weight.grad))
          end
        end
      end)
    end
  end

  it("that is transposed is the gradient of the other one's input, plus bias", function()
    local c = geometry(3, 14, 4, 8, 4, {stride = 2, padding = 1})
    local x, w = drawn({3, 14, 8, 8}, nl.float32), drawn({4, 14, 4, 4}, nl.float32)
    local dy, bias = drawn({3, 4, 4, 4}, nl.float32), drawn({14}, nl.float32)
    local _, want = by_definition(c, x, w, dy, nl.float32)
    local y = F.conv_transpose2d(dy, w, bias, {stride = 2, padding = 1})
    assert.is_true(nl.equal(want + bias:view(1, -1, 1, 1), y))
  end)

  it("that is transposed, with a kernel as large as the stride, is the gradient of the other one's input", function()
    for _, stride in ipairs {2, 3, {1, 2}, {2, 3}} do
      for _, groups in ipairs {1, 2} do
        for _, dtype in ipairs {nl.float32, nl.float64} do
          local s = pair(stride)
          local c = geometry(2, 10, 6, {5 * s[1], 19 * s[2]}, stride, {stride = stride, groups = groups})
          local x, w = drawn({2, 10, c.size[1], c.size[2]}, dtype), drawn({6, 10 // groups, s[1], s[2]}, dtype)
          local dy, bias = drawn({2, 6, 5, 19}, dtype), drawn({10}, dtype)
          local _, want = by_definition(c, x, w, dy, dtype)
          want = want + bias:view(1, -1, 1, 1)
          for n = 1, 2 do
            nl.set_num_threads(n)
            local options = {stride = s, groups = groups}
            assert.is_true(nl.equal(want, F.conv_transpose2d(dy, w, bias, options)))
            assert.is_true(nl.equal(want, F.conv_transpose2d(last_channels(dy), w, bias, options)))
          end
        end
      end
    end
  end)

  it("along lines is one over images of one line", function()
    local c = geometry(2, 5, 13, {1, 50}, {1, 3}, {stride = {1, 2}, padding = {0, 1}})
    local x, w = drawn({2, 5, 1, 50}, nl.float32), drawn({13, 5, 1, 3}, nl.float32)
    local want = by_definition(c, x, w, drawn({2, 13, 1, c.result[2]}, nl.float32), nl.float32)
    assert.is_true(nl.equal(want:squeeze(3), F.conv1d(x:squeeze(3), w:squeeze(3), nil, {stride = 2, padding = 1})))
  end)

  --- A convolution of volumes by those of their planes, which the sums above define.
  local function by_planes(x, w, options)
    local planes, step, apart = {}, options.stride[1], options.dilation[1]
    local padded = F.pad(x, {0, 0, 0, 0, options.padding[1], options.padding[1]})
    local flat = {groups = options.groups}
    for _, name in ipairs {"stride", "padding", "dilation"} do flat[name] = {options[name][2], options[name][3]} end
    for at = 1, padded:size(3) - apart * (w:size(3) - 1), step do
      local sum
      for k = 1, w:size(3) do
        local y = F.conv2d(padded:select(3, at + apart * (k - 1)), w:select(3, k), nil, flat)
        sum = sum and sum + y or y
      end
      planes[#planes + 1] = sum
    end
    return nl.stack(planes, 3)
  end

  --- images, channels, channels of the result, size, kernel, options
  local volumes = {
    ["small volumes"] = {3, 2, 13, {3, 4, 3}, {3, 3, 3}, {padding = {1, 1, 1}}},
    ["volumes that are cut into planes"] = {1, 2, 12, {19, 12, 13}, {3, 2, 3}, {padding = {2, 0, 1}}},
    ["volumes with strides"] = {2, 3, 5, {7, 8, 9}, {3, 2, 4}, {stride = {2, 3, 2}, padding = {1, 0, 2}}},
    ["volumes with dilations and groups"] = {2, 4, 6, {6, 7, 8}, {2, 3, 2},
      {dilation = {2, 1, 3}, stride = {1, 2, 2}, groups = 2}},
    ["volumes of one channel a group"] = {2, 3, 3, {5, 6, 7}, {3, 3, 3}, {padding = {1, 1, 1}, groups = 3}},
    ["volumes of one channel a group with strides"] = {2, 3, 6, {7, 8, 9}, {3, 2, 5},
      {padding = {1, 1, 2}, stride = {3, 2, 2}, groups = 3}},
    ["volumes, 1x1x1,"] = {4, 5, 14, {2, 3, 4}, {1, 1, 1}, {}},
    ["volumes of many images"] = {7, 17, 16, {3, 4, 3}, {3, 2, 3}, {stride = {2, 1, 1}, padding = {1, 1, 0}}},
    ["a few volumes of many terms"] = {2, 17, 17, {4, 5, 6}, {3, 3, 3}, {padding = {1, 1, 1}}},
    ["a few volumes of many terms, strides"] = {2, 17, 76, {6, 7, 8}, {3, 3, 3},
      {padding = {1, 1, 1}, stride = {2, 2, 2}}},
    ["volumes of many channels"] = {2, 24, 24, {3, 12, 14}, {3, 3, 3}, {padding = {1, 1, 1}}},
    ["volumes of many channels, planes apart,"] = {1, 48, 48, {5, 12, 12}, {2, 3, 3},
      {padding = {2, 1, 1}, dilation = {3, 1, 1}, groups = 2}},
    ["volumes of the kernel's size"] = {3, 2, 4, {2, 3, 2}, {2, 3, 2}, {}},
  }
  for name, case in pairs(volumes) do
    local images, channels, out, size, kernel, given = table.unpack(case)
    local options = {stride = given.stride or {1, 1, 1}, padding = given.padding or {0, 0, 0},
      dilation = given.dilation or {1, 1, 1}, groups = given.groups or 1}
    local x_shape = {images, channels, table.unpack(size)}
    local w_shape = {out, channels // options.groups, table.unpack(kernel)}
    for _, dtype in ipairs {nl.float32, nl.float64, nl.complex64} do
      it(("of %s is the sum of those of planes, in %s"):format(name, tostring(dtype)), function()
        local x, w = drawn(x_shape, dtype), drawn(w_shape, dtype)
        local results = {}
        for i, f in ipairs {by_planes, function(a, b, o) return F.conv3d(a, b, nil, o) end} do
          local from, weight = x:clone():requires_grad_(), w:clone():requires_grad_()
          local y = f(from, weight, options)
          local dy = results[1] and results[1].dy or drawn({table.unpack(y.shape)}, dtype)
          y:backward(dy)
          results[i] = {y = y, dy = dy, dx = from.grad, dw = weight.grad}
        end
        for _, what in ipairs {"y", "dx", "dw"} do
          assert.is_true(nl.equal(results[1][what], results[2][what]), what)
        end
      end)
    end
    it(("of %s wraps in int8"):format(name), function()
      local x, w = nl.randint(-128, 128, x_shape), nl.randint(-128, 128, w_shape)
      assert.is_true(nl.equal(F.conv3d(x, w, nil, options):to(nl.int8),
        F.conv3d(x:to(nl.int8), w:to(nl.int8), nil, options)))
    end)
  end

  for padding = 0, 2 do
    it(("of 3x3 with many channels is that of complex numbers, padded by %d"):format(padding), function()
      local x, w, b = drawn({2, 50, 13, 16}, nl.float32), drawn({49, 50, 3, 3}, nl.float32), drawn({49}, nl.float32)
      local dy = drawn({2, 49, 11 + 2 * padding, 14 + 2 * padding}, nl.float32)
      local function run(dtype)
        local from = x:clone():to(dtype):requires_grad_()
        local y = F.conv2d(from, w:to(dtype), b:to(dtype), {padding = padding})
        y:backward(dy:to(dtype))
        return y, from.grad
      end
      local want, want_dx = run(nl.complex64)
      for _, dtype in ipairs {nl.float32, nl.float64} do
        local y, dx = run(dtype)
        assert.is_true(nl.equal(want.real:to(dtype), y))
        assert.is_true(nl.equal(want_dx.real:to(dtype), dx))
      end
    end)
  end

  it("of one channel a group meets a nan only where a tap does", function()
    for _, stride in ipairs {1, 2} do
      local x = nl.ones({1, 4, 6, 22 + stride})
      x[{1, 2, 3, -1}] = 0 / 0
      x:requires_grad_()
      local w = nl.ones({4, 1, 3, 3}, {requires_grad = true})
      local y = F.conv2d(x, w, nil, {padding = 1, stride = stride, groups = 4})
      y:sum():backward()
      local places = y:isnan():nonzero():tolist()
      assert.are.equal(stride == 1 and 6 or 1, #places)
      for _, at in ipairs(places) do assert.are.equal(2, at[2]) end
      -- the last column is never under the left tap, and with a stride under the right one alone
      local taps = w.grad:isnan():sum({1, 2, 3}):tolist()
      assert.are.same(stride == 1 and {0, 3, 3} or {0, 0, 1}, taps)
    end
  end)

  local many = {
    ["many places"] = {{6, 33, 7, 8}, {17, 33, 3, 2}, {padding = {1, 0}}},
    ["many places, strides and dilations"] = {{7, 34, 13, 11}, {18, 34, 3, 3},
      {stride = {2, 1}, padding = 2, dilation = {1, 2}}},
    ["many places of groups"] = {{9, 64, 7, 5}, {32, 32, 3, 3}, {groups = 2, padding = {0, 4}}},
    ["many places of one image"] = {{1, 35, 19, 40}, {16, 35, 2, 3}, {stride = 1}},
  }
  for name, case in pairs(many) do
    it(("of many channels and %s has the gradients of complex numbers"):format(name), function()
      local x, w = drawn(case[1], nl.float32), drawn(case[2], nl.float32)
      local dy = drawn({table.unpack(F.conv2d(x, w, nil, case[3]).shape)}, nl.float32)
      local function gradients(dtype)
        local from, weight = x:to(dtype):requires_grad_(), w:to(dtype):requires_grad_()
        return nl.autograd.grad(F.conv2d(from, weight, nil, case[3]), {from, weight}, dy:to(dtype))
      end
      local want_dx, want_dw = gradients(nl.complex64)
      for _, dtype in ipairs {nl.float32, nl.float64} do
        for n = 1, 2 do
          nl.set_num_threads(n)
          local dx, dw = gradients(dtype)
          assert.is_true(nl.equal(want_dx.real:to(dtype), dx))
          assert.is_true(nl.equal(want_dw.real:to(dtype), dw))
        end
      end
    end)
  end

  it("of no images has gradients of 0", function()
    local x = nl.zeros({0, 3, 5, 5}, {requires_grad = true})
    local w = nl.ones({13, 3, 3, 3}, {requires_grad = true})
    local y = F.conv2d(x, w)
    assert.are.same({0, 13, 3, 3}, {y:size(1), y:size(2), y:size(3), y:size(4)})
    y:sum():backward()
    assert.is_true(nl.equal(nl.zeros(13, 3, 3, 3), w.grad))
  end)

  it("has the same bits with one thread and with two", function()
    for _, case in ipairs {{3, 30, 1}, {3, 30, 2}, {21, 7, 2}, {9, 3, 1}, {12, 6, 1}} do
      local images, size, stride = table.unpack(case)
      local x, w = nl.randn(images, 50, size, size), nl.randn(60, 50, 3, 3)
      local results = {}
      for n = 1, 2 do
        nl.set_num_threads(n)
        local from, weight = x:clone():requires_grad_(), w:clone():requires_grad_()
        F.conv2d(from, weight, nil, {padding = 1, stride = stride}):tanh():sum():backward()
        results[n] = {from.grad, weight.grad}
      end
      assert.is_true(nl.equal(results[1][1], results[2][1]))
      assert.is_true(nl.equal(results[1][2], results[2][2]))
    end
  end)

  it("of many images, compiled with what follows, is that of sums one by one", function()
    local net = nn.Sequential(nn.Conv2d(3, 18, 3, {stride = 2, padding = 1}), nn.ReLU())
    local x = drawn({9, 3, 7, 7}, nl.float32)
    for _, p in ipairs {net[1].weight, net[1].bias} do p.data = drawn({table.unpack(p.shape)}, nl.float32) end
    local c = geometry(9, 3, 18, 7, 3, {stride = 2, padding = 1})
    local sums = by_definition(c, x, net[1].weight:detach(), nl.zeros(9, 18, 4, 4), nl.float32)
    local want = (sums + net[1].bias:detach():view(1, -1, 1, 1)):clamp(0)
    local compiled = nl.compile(net)
    for _ = 1, 3 do assert.is_true(nl.equal(want, nl.no_grad(compiled, x))) end
  end)

  it("takes steps of dimensions of one element, which say nothing", function()
    local x = nl.randint(-4, 5, {8, 16, 1, 30}):float():transpose(3, 4)
    local weight = nl.randint(-4, 5, {4, 16, 1, 1}):float()
    assert.is_true(x:is_contiguous())
    local plain = nl.empty(8, 16, 30, 1):copy_(x)
    local results = {}
    for i, input in ipairs {x, plain} do
      local w = weight:clone():requires_grad_()
      local y = F.conv2d(input, w)
      y:square():sum():backward()
      results[i] = {y, w.grad, F.conv2d(input, weight:view(4, 4, 4, 1):reshape(16, 4, 1, 1), {groups = 4})}
    end
    for k = 1, 3 do assert.is_true(nl.equal(results[1][k], results[2][k])) end
  end)
end)
