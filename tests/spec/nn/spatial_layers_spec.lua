-- Layers over spatial dimensions; values and gradients are in the oracle's cases.
-- Texts and sums are those of PyTorch 2.15.
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

describe("convolutions", function()
  it("draw their parameters as PyTorch does", function()
    nl.manual_seed(3)
    local expected = {
      {nn.Conv2d(4, 6, {2, 3}, {groups = 2}), -2.520410, 0.426887}, {nn.Conv1d(3, 2, 5), -1.051621, -0.026641},
      {nn.ConvTranspose2d(4, 6, 3, {groups = 2}), 0.639978, 0.023035},
      {nn.ConvTranspose1d(2, 3, 3), 1.702387, -0.203643},
    }
    for _, case in ipairs(expected) do
      assert.is_near(case[2], case[1].weight:sum():item(), 2e-6)
      assert.is_near(case[3], case[1].bias:sum():item(), 2e-6)
    end
  end)

  it("keep the size of the input with padding 'same'", function()
    for _, mode in ipairs {"zeros", "reflect", "replicate", "circular"} do
      local net = nn.Conv2d(2, 3, {4, 3}, {padding = "same", dilation = {1, 2}, padding_mode = mode})
      assert.same({1, 3, 6, 7}, net(nl.randn(1, 2, 6, 7)):size():totable())
    end
  end)

  it("take the size of the result where a stride allows several", function()
    local net, x = nn.ConvTranspose2d(1, 2, 3, {stride = 2}), nl.randn(1, 1, 2, 2)
    assert.same({1, 2, 5, 5}, net(x):size():totable())
    assert.same({1, 2, 6, 5}, net(x, {6, 5}):size():totable())
    assert.same({1, 2, 6, 6}, net(x, {1, 2, 6, 6}):size():totable())
    assert.same({1, 2, 6, 6}, net(x, 6):size():totable())
    assert.error_matches(function() net(x, {7, 5}) end, "output_size %(7, 5%) can't be had from .* may have 5 to 6")
  end)

  it("learn their input channels", function()
    local net = nn.LazyConv2d(4, 3, {groups = 2})
    assert.equal("LazyConv2d(0, 4, kernel_size=(3, 3), stride=(1, 1), groups=2)", tostring(net))
    net(nl.randn(1, 2, 5, 5))
    assert.equal("Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1), groups=2)", tostring(net))
    assert.same({4, 1, 3, 3}, net.weight:size():totable())

    local loaded = nn.LazyConvTranspose1d(4, 3)
    loaded:load_state_dict(nn.ConvTranspose1d(2, 4, 3):state_dict())
    loaded(nl.randn(1, 2, 5))
    assert.equal("ConvTranspose1d(2, 4, kernel_size=(3,), stride=(1,))", tostring(loaded))
    assert.error_matches(function() nn.LazyConv2d(4, 3)(nl.zeros(2, 3)) end, "must have 3 or 4 dimensions, not 2")
  end)

  it("say what they can't take", function()
    local function refuses(message, class, ...)
      local arguments = table.pack(...)
      assert.error_matches(function() class(table.unpack(arguments, 1, arguments.n)) end, message)
    end
    refuses("kernel_size must be an integer or a list of 2 integers, not %(1, 2, 3%)", nn.Conv2d, 3, 4, {1, 2, 3})
    refuses("kernel_size must be at least 1, not 0", nn.Conv1d, 3, 4, 0)
    refuses("in_channels %(3%) must be a multiple of groups %(2%)", nn.Conv2d, 3, 4, 3, {groups = 2})
    refuses("in_channels must not be negative", nn.Conv2d, -3, 4, 3)
    refuses("groups must be positive", nn.Conv2d, 3, 4, 3, {groups = 0})
    refuses("padding is 'same', 'valid' or numbers, not 'some'", nn.Conv2d, 3, 4, 3, {padding = "some"})
    refuses("'same' goes with a stride of 1 only", nn.Conv2d, 3, 4, 3, {padding = "same", stride = 2})
    refuses("padding_mode is 'zeros'", nn.Conv2d, 3, 4, 3, {padding_mode = "zero"})
    refuses("padding_mode must be 'zeros', not 'reflect'", nn.ConvTranspose2d, 3, 4, 3, {padding_mode = "reflect"})
  end)
end)

describe("layers over spatial dimensions", function()
  it("are printed as PyTorch prints them", function()
    local texts = {
      ["Conv2d(4, 6, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=2, bias=False, padding_mode=circular)"] =
        nn.Conv2d(4, 6, 3, {padding = 1, groups = 2, bias = false, padding_mode = "circular"}),
      ["Conv1d(2, 3, kernel_size=(4,), stride=(1,), padding=same, dilation=(2,))"] =
        nn.Conv1d(2, 3, 4, {padding = "same", dilation = 2}),
      ["ConvTranspose2d(4, 6, kernel_size=(3, 2), stride=(2, 2), padding=(1, 1), output_padding=(1, 1))"] =
        nn.ConvTranspose2d(4, 6, {3, 2}, 2, 1, 1),
      ["MaxPool1d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)"] = nn.MaxPool1d(3, 2),
      ["AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))"] = nn.AvgPool1d(2),
      ["AvgPool2d(kernel_size=(2, 3), stride=(2, 3), padding=0)"] = nn.AvgPool2d {2, 3},
      ["AdaptiveAvgPool2d(output_size=(None, 3))"] = nn.AdaptiveAvgPool2d {nl.none, 3},
      ["AdaptiveMaxPool1d(output_size=5)"] = nn.AdaptiveMaxPool1d(5),
      ["ZeroPad2d((2, 2, 2, 2))"] = nn.ZeroPad2d(2),
      ["ConstantPad1d(padding=(1, 2), value=3.5)"] = nn.ConstantPad1d({1, 2}, 3.5),
      ["Upsample(scale_factor=(2.0, 3.0), mode='nearest')"] = nn.Upsample {scale_factor = {2, 3}},
      ["UpsamplingBilinear2d(size=4, mode='bilinear')"] = nn.UpsamplingBilinear2d(4),
      ["Flatten(start_dim=2, end_dim=-1)"] = nn.Flatten(), -- positions count from 1
      ["Unflatten(dim=2, unflattened_size=(2, 3))"] = nn.Unflatten(2, {2, 3}),
    }
    for text, net in pairs(texts) do assert.equal(text, tostring(net)) end
  end)

  it("pad with zeros and around a circle", function()
    local x = nl.tensor {{{1.0, 2.0, 3.0}}}
    assert.same({{{0, 1, 2, 3, 0, 0}}}, nn.ZeroPad1d({1, 2})(x):tolist())
    assert.same({{{3, 1, 2, 3, 1}}}, nn.CircularPad1d(1)(x):tolist())
    assert.same({{{2}}}, nn.ZeroPad1d(-1)(x):tolist())
  end)

  it("say what they can't take", function()
    assert.error_matches(function() nn.MaxPool2d(0) end, "nn.MaxPool2d: kernel_size must be at least 1, not 0")
    assert.error_matches(function() nn.MaxPool2d {2} end, "a list of 2 integers, not %(2,%)")
    assert.error_matches(function() nn.AdaptiveAvgPool2d {1, 2, 3} end, "output_size must be an integer or a list of 2")
    assert.error_matches(function() nn.ZeroPad2d {1, 2} end, "a list of 4 integers, not %(1, 2%)")
    assert.error_matches(function() nn.Unflatten(2, 3) end, "unflattened_size must be a list of integers, not a number")
    assert.error_matches(function() nn.Upsample {scale_factor = "x"} end, "scale_factor must be a number")
  end)
end)

describe("maxima of 2 by 2 side by side", function()
  --- The maximum of a window, of which the first one that nothing later is greater than counts.
  local function largest(a, b, c, d)
    for _, v in ipairs {b, c, d} do
      if v > a or v ~= v then a = v end
    end
    return a
  end

  local function same(a, b)
    return a ~= a and b ~= b or a == b and 1 / a == 1 / b
  end

  for _, dtype in ipairs {"float32", "float64", "bfloat16", "int16"} do
    it("are the windows' in " .. dtype .. ", whatever the width", function()
      nl.manual_seed(1)
      for _, width in ipairs {1, 2, 3, 5, 8, 33, 512, 513, 600} do
        local lines = width > 100 and 2 or width == 5 and 120 or 20
        local x = (nl.randn(2, 2 * lines, 2 * width) * 2):round():to(nl[dtype])
        if dtype ~= "int16" then
          x = nl.where(nl.rand(x.shape):lt(0.3), -x, x) -- zeros of both signs
          x[nl.rand(x.shape):lt(0.05)] = 0 / 0
        end
        local y, rows = F.max_pool2d(x:reshape(1, 2, 2 * lines, 2 * width), 2)[1]:tolist(), x:tolist()
        for c = 1, 2 do
          for i = 1, lines do
            local upper, lower = rows[c][2 * i - 1], rows[c][2 * i]
            for k = 1, width do
              local wanted = largest(upper[2 * k - 1], upper[2 * k], lower[2 * k - 1], lower[2 * k])
              if not same(wanted, y[c][i][k]) then error(("%d: %d, %d, %d"):format(width, c, i, k)) end
            end
          end
        end
      end
    end)
  end

  it("along lines alone are the pairs'", function()
    for _, dtype in ipairs {"float32", "float64", "int16"} do
      for _, width in ipairs {1, 5, 16, 70} do
        local x = (nl.randn(3, 2, 2 * width) * 3):round():to(nl[dtype])
        if dtype ~= "int16" then x[nl.rand(x.shape):lt(0.1)] = 0 / 0 end
        local y, rows = F.max_pool1d(x, 2):flatten():tolist(), x:flatten():tolist()
        for i, v in ipairs(y) do assert.is_true(same(largest(rows[2 * i - 1], rows[2 * i], -9, -9), v)) end
      end
    end
  end)

  it("have gradients where they were found", function()
    for _, width in ipairs {1, 2, 5, 16, 513} do
      local x = nl.randn(2, 3, 6, 2 * width, {requires_grad = true})
      local y, positions = F.max_pool2d(x, 2, {return_indices = true})
      local dy = nl.randn(y.shape)
      F.max_pool2d(x, 2):backward(dy)
      local wanted = nl.zeros(2, 3, 12 * width):scatter(3, positions:flatten(3), dy:flatten(3))
      assert.is_true(nl.equal(wanted:reshape(x.shape), x.grad), width)
    end
  end)
end)

describe("adaptive maxima of long lines", function()
  it("are the windows' first largest elements, or their last nan", function()
    nl.manual_seed(3)
    for _, dtype in ipairs {"float32", "float64"} do
      for _, count in ipairs {1, 3, 7} do
        local x = (nl.randn(4, 2, 150) * 2):round():to(nl[dtype])
        x[{1, 1, {30, 60}}] = 0 / 0
        x[{2, 1}] = -math.huge
        local y, positions = F.adaptive_max_pool1d_with_indices(x, count)
        for n = 1, 4 do
          for c = 1, 2 do
            local row = x[n][c]:tolist()
            for i = 1, count do
              local at = (i - 1) * 150 // count + 1
              for k = at + 1, (i * 150 + count - 1) // count do
                if row[k] > row[at] or row[k] ~= row[k] then at = k end
              end
              assert.are.equal(at, positions[{n, c, i}]:item())
              local got = y[{n, c, i}]:item()
              assert.is_true(got == row[at] or got ~= got and row[at] ~= row[at])
            end
          end
        end
      end
    end
  end)
end)

describe("padding with a number", function()
  it("writes all that lies outside, and nothing inside", function()
    local x = nl.arange(1, 1 + 2 * 3 * 5):reshape(2, 3, 5):float()
    local pads = {{1, 2}, {0, 3, 2, 0}, {1, 1, 1, 1, 1, 1}, {-2, 3, 1, -1}, {-5, 2}, {2, -5, 1, 1}, {0, 0, 4, -3},
      {-1, -1, 2, 2, -1, 1}}
    for _, pad in ipairs(pads) do
      for _, from in ipairs {x, x:transpose(1, 3):contiguous():transpose(1, 3)} do
        local y = nl.constant_pad_nd(from, pad, -7)
        local rows = y:tolist()
        local function put(d) return pad[2 * (3 - d) + 1] or 0 end
        for i = 1, y:size(1) do
          for j = 1, y:size(2) do
            for k = 1, y:size(3) do
              local a, b, c = i - put(1), j - put(2), k - put(3)
              local inside = a >= 1 and a <= 2 and b >= 1 and b <= 3 and c >= 1 and c <= 5
              assert.are.equal(inside and ((a - 1) * 3 + b - 1) * 5 + c or -7, rows[i][j][k])
            end
          end
        end
      end
    end
  end)
end)
