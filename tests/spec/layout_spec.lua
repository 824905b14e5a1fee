-- How results lie in memory: as their operands do, where PyTorch's do. The strides are those of PyTorch 2.15.
local nl = require "nnlua"
local env = {nl = nl, F = nl.nn.functional, select = select}

-- A tensor (2, 3, 4, 5) whose channels are last, one that lies the other way around, one of mixed dimensions and one
-- that is expanded.
local layouts = {
  {"channels last", function() return nl.rand(2, 4, 5, 3):permute(1, 4, 2, 3) end},
  {"transposed", function() return nl.rand(5, 4, 3, 2):permute(4, 3, 2, 1) end},
  {"permuted", function() return nl.rand(4, 2, 5, 3):permute(2, 4, 1, 3) end},
  {"expanded", function() return nl.rand(2, 1, 4, 1):expand(2, 3, 4, 5) end},
}

-- An expression in x, and its result's strides for each of these.
local cases = {
  {"x + 1", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"nl.rand(5) * x", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"nl.rand(2, 3, 4, 5) + x", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"x:relu()", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:double()", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:clone()", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:gt(0.5)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"nl.zeros_like(x)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"nl.rand_like(x)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"nl.where(x:gt(0.5), x, 0.0)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:masked_fill(x:gt(0.5), 0.0)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"x:masked_scatter(x:gt(0.5), x)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"nl.lerp(x, (x + 1), 0.5)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:softmax(2)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"x:cumsum(2)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"x:sum(2)", "20 5 1", "20 5 1", "20 5 1", "20 5 1"},
  {"x:mean(1, {keepdim = true})", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"(select(1, x:sort(2)))", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"(select(2, x:sort(2)))", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"(select(1, x:topk(2, 2)))", "40 20 5 1", "40 20 5 1", "40 20 5 1", "40 20 5 1"},
  {"x:flip({3})", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:rot90(1, {3, 4})", "60 1 3 15", "1 2 24 6", "15 1 3 30", "60 20 1 5"},
  {"x:roll(1, 2)", "60 1 15 3", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"nl.cat({x, x}, 2)", "120 1 30 6", "120 20 5 1", "120 20 5 1", "120 20 5 1"},
  {"nl.cat({x, x:contiguous()}, 2)", "120 20 5 1", "120 20 5 1", "120 20 5 1", "120 20 5 1"},
  {"nl.stack({x, x}, 1)", "120 60 1 15 3", "120 60 20 5 1", "120 60 20 5 1", "120 60 20 5 1"},
  {"nl.stack({x, x}, 2)", "120 3 1 30 6", "120 60 20 5 1", "120 60 20 5 1", "120 60 20 5 1"},
  {"nl.stack({x, x}, 5)", "120 40 10 2 1", "120 40 10 2 1", "120 40 10 2 1", "120 40 10 2 1"},
  {"x:index_select(2, nl.tensor({1}))", "20 20 5 1", "20 20 5 1", "20 20 5 1", "20 20 5 1"},
  {"nl.complex(x, x)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"nl.renorm(x, 2.0, 2, 1.0)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.dropout(x, 0.5)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"F.rrelu(x, 0.1, 0.3, true)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.pad(x, {1, 1})", "84 1 21 3", "84 28 7 1", "84 28 7 1", "84 28 7 1"},
  {'F.pad(x, {1, 1, 1, 1}, "reflect")', "126 1 21 3", "126 42 7 1", "126 42 7 1", "126 42 7 1"},
  {'F.pad(x, {1, 1, 1, 1}, "circular")', "126 42 7 1", "126 42 7 1", "126 42 7 1", "126 42 7 1"},
  {"F.max_pool2d(x, 2)", "12 1 6 3", "12 4 2 1", "12 4 2 1", "12 4 2 1"},
  {"F.avg_pool2d(x, 2)", "12 1 6 3", "12 4 2 1", "12 4 2 1", "12 4 2 1"},
  {"F.adaptive_avg_pool2d(x, 2)", "12 1 6 3", "12 4 2 1", "12 4 2 1", "12 4 2 1"},
  {"F.adaptive_max_pool2d(x, 2)", "12 1 6 3", "12 4 2 1", "12 4 2 1", "12 4 2 1"},
  {"F.interpolate(x, {scale_factor = 2})", "240 1 30 3", "240 80 10 1", "240 80 10 1", "240 80 10 1"},
  {'F.interpolate(x, {scale_factor = 2, mode = "bilinear"})',
    "240 1 30 3", "240 80 10 1", "240 80 10 1", "240 80 10 1"},
  {'F.interpolate(x, {size = {3, 3}, mode = "bicubic"})', "27 1 9 3", "27 9 3 1", "27 9 3 1", "27 9 3 1"},
  {"F.conv2d(x, nl.rand(6, 3, 3, 3), {padding = 1})", "120 1 30 6", "120 20 5 1", "120 20 5 1", "120 20 5 1"},
  {"F.conv_transpose2d(x, nl.rand(3, 6, 3, 3))", "252 1 42 6", "252 42 7 1", "252 42 7 1", "252 42 7 1"},
  {"F.batch_norm(x, nl.zeros(3), nl.ones(3), {training = true})", "60 1 15 3", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.batch_norm(x, nl.zeros(3), nl.ones(3))", "60 1 15 3", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.group_norm(x, 3)", "60 1 15 3", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.instance_norm(x)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.layer_norm(x, {5})", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.rms_norm(x, {5})", "60 1 15 3", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.linear(x, nl.rand(7, 5))", "84 28 7 1", "84 28 7 1", "84 28 7 1", "84 28 7 1"},
  {"x[{{}, nl.tensor({3, 1})}]", "40 20 5 1", "1 8 2 16", "5 10 20 1", "40 20 5 1"},
  {"x[{nl.tensor({2, 1}), {}, nl.tensor({3, 1})}]", "15 1 3", "15 1 3", "15 1 3", "15 5 1"},
  {"x[{{}, {}, nl.tensor({{1, 2}, {3, 3}}):t()}]", "60 1 3 6 12", "1 8 2 4 24", "60 1 3 6 12", "60 20 5 10 1"},
  {"x[{{}, nl.tensor({true, false, true})}]", "40 20 5 1", "1 8 2 16", "5 10 20 1", "40 20 5 1"},
  {"x:index_put({nl.tensor({2, 1})}, nl.tensor(1.0))", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:put(nl.tensor({4, -1}), nl.tensor({1.0, 2.0}))", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:index_copy(2, nl.tensor({2}), x[{{}, {1, 1}}])", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"x:index_fill(2, nl.tensor({2}), 1.0)", "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {"x:index_add(2, nl.tensor({2}), x[{{}, {1, 1}}])", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"x:scatter(2, nl.ones(1, 1, 1, 1):long(), 1.0)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"x[{{}, {}, {1, -1, 2}}]:select_scatter(nl.ones(3, 2, 5), 1, 1)",
    "60 1 30 3", "1 2 12 24", "15 1 60 3", "30 10 5 1"},
  {"x[{{}, {}, {1, -1, 2}}]:slice_scatter(nl.ones(1, 3, 2, 5), 1, 1, 1)",
    "60 1 30 3", "1 2 12 24", "15 1 60 3", "30 10 5 1"},
  {"x[{{}, {}, {1, -1, 2}}]:diagonal_scatter(nl.ones(2, 5, 2))", "60 1 30 3", "1 2 12 24", "15 1 60 3", "30 10 5 1"},
  {"x:repeat_interleave(2, 2)", "120 20 5 1", "120 20 5 1", "120 20 5 1", "120 20 5 1"},
  {"(x + nl.arange(0, 3):view(3, 1, 1)):unique({dim = 2})", "20 40 5 1", "20 40 5 1", "20 40 5 1", "20 40 5 1"},
  {"nl.linalg.vander(x)", "300 100 25 5 1", "300 100 25 5 1", "300 100 25 5 1", "300 100 25 5 1"},
  {"(nl.linalg.svd(x))", "48 16 1 4", "48 16 1 4", "48 16 1 4", "48 16 1 4"},
  {"(select(3, nl.linalg.svd(x, false)))", "60 20 1 4", "60 20 1 4", "60 20 1 4", "60 20 1 4"},
  {"nl.addr(x[{1, 1, {}, {}}], nl.ones(4), nl.ones(5))", "5 1", "1 4", "5 1", "5 1"},
  {"nl.addr(x[{1, {}, {}, 1}], nl.ones(3), nl.ones(4), {beta = 0})", "1 3", "1 3", "1 3", "4 1"},
  {'nl.einsum("abcd->cbad", x)', "15 1 60 3", "6 2 1 24", "30 1 15 3", "1 0 4 0"},
  {'nl.einsum("abcd->dba", x)', "6 2 1", "6 2 1", "6 2 1", "6 2 1"},
  {'nl.einsum("abcd,bc->abcd", x, nl.ones(3, 4))', "60 1 15 3", "1 2 6 24", "15 1 30 3", "60 20 5 1"},
  {'nl.einsum("abcd,edb->ebca", x, nl.ones(2, 5, 3))', "8 16 2 1", "8 16 2 1", "8 16 2 1", "8 16 2 1"},
  {'nl.einsum("abcd,de->aecb", x, nl.ones(5, 2))', "24 1 6 2", "24 1 6 2", "24 1 6 2", "24 1 6 2"},
  {"F.scaled_dot_product_attention(x, x, x)", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.scaled_dot_product_attention(x, x, x, nl.ones(4, 4):bool())",
    "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.scaled_dot_product_attention(x, x, x, {dropout_p = 0.5})", "60 20 5 1", "60 20 5 1", "60 20 5 1", "60 20 5 1"},
  {"F.scaled_dot_product_attention(x:transpose(3, 4), x:transpose(3, 4), x:transpose(3, 4))",
    "60 20 4 1", "60 20 4 1", "60 20 4 1", "60 20 4 1"},
}

--- Volumes, lines and single values, where other rules hold.
local others = {
  {"x + 1", {2, 2, 3, 4, 3}, {1, 5, 2, 3, 4}, "72 1 36 12 3"},
  {"F.pad(x, {1, 1})", {2, 2, 3, 4, 3}, {1, 5, 2, 3, 4}, "108 1 54 18 3"},
  {"F.group_norm(x, 3)", {2, 2, 3, 4, 3}, {1, 5, 2, 3, 4}, "72 1 36 12 3"},
  {"F.interpolate(x, {scale_factor = 2})", {2, 2, 3, 4, 3}, {1, 5, 2, 3, 4}, "576 1 144 24 3"},
  {"nl.cat({x, x}, 2)", {2, 2, 3, 4, 3}, {1, 5, 2, 3, 4}, "144 1 72 24 6"},
  {"F.conv1d(x, nl.rand(6, 3, 1))", {2, 8, 3}, {1, 3, 2}, "48 8 1"},
  {"F.max_pool1d(x, 2)", {2, 8, 3}, {1, 3, 2}, "12 4 1"},
  {"x:sort(2)", {2, 8, 3}, {1, 3, 2}, "24 1 3"},
  {"F.scaled_dot_product_attention(x, x, x)", {2, 4, 3, 8}, {1, 3, 2, 4}, "96 8 24 1"},
  {"F.scaled_dot_product_attention(x, x, x, nl.ones(3, 4, 4):bool())", {2, 4, 3, 8}, {1, 3, 2, 4}, "96 32 8 1"},
  {"F.scaled_dot_product_attention(x, x, x, {dropout_p = 0.5})", {2, 4, 3, 8}, {1, 3, 2, 4}, "96 32 8 1"},
  {"F.scaled_dot_product_attention(x, x, x)", {4, 2, 8}, {2, 1, 3}, "8 16 1"},
  {'nl.einsum("abc,dc->dab", x, nl.ones(6, 4))', {2, 3, 4}, {1, 2, 3}, "6 3 1"},
}

local function text(t)
  return table.concat({table.unpack(t:stride())}, " ")
end

local function result(code, x)
  env.x = x
  return (assert(load("return " .. code, "=case", "t", env))())
end

local function numbers(t)
  return (t:is_complex() and nl.view_as_real(t) or t):double()
end

describe("a result's order in memory", function()
  for _, case in ipairs(cases) do
    it("is PyTorch's: " .. case[1], function()
      for i, layout in ipairs(layouts) do
        local x = layout[2]()
        local got = result(case[1], x)
        assert.equal(case[i + 1], text(got), layout[1])
      end
    end)
  end

  for _, case in ipairs(others) do
    it("is PyTorch's for other shapes: " .. case[1], function()
      assert.equal(case[4], text(result(case[1], nl.rand(case[2]):permute(case[3]))))
    end)
  end

  it("is that of the weight where only its channels are last", function()
    local x, w = nl.rand(2, 3, 4, 5), nl.rand(6, 3, 3, 3):permute(1, 4, 2, 3)
    assert.equal("36 1 18 6", text(env.F.conv2d(x, w)))
    assert.equal("36 6 3 1", text(env.F.conv2d(x, w:contiguous())))
  end)

  it("is that of sequences first in MultiheadAttention, but for inference with the batch first", function()
    local x, last, first = nl.rand(2, 4, 6), nl.nn.MultiheadAttention(6, 2),
      nl.nn.MultiheadAttention(6, 2, {batch_first = true})
    assert.equal("24 6 1", text((last(x, x, x))))
    assert.equal("6 12 1", text((first(x, x, x))))
    first:eval()
    assert.equal("6 12 1", text((first(x, x, x))))
    assert.equal("24 6 1", text((nl.no_grad(first, x, x, x))))
    assert.equal("6 12 1", text((nl.no_grad(first, x, x:clone(), x))))
  end)

  it("is that of complex ones in transforms of real tensors; that of angles of complex ones is none", function()
    local function strides(x) return table.concat(x:stride():totable(), " ") end
    local x = nl.randn(7, 6, 5):permute(3, 2, 1)
    for dims, expected in pairs {[{1, 3}] = "1 35 5", [{1, 2}] = "1 5 30", [{2, 3}] = "42 1 6", [{3}] = "7 35 1"} do
      assert.equal(expected, strides(nl.fft.fftn(x, {dim = dims})))
      assert.equal(expected, strides(nl.fft.ifftn(x:to(nl.int8), {dim = dims})))
      local whole = nl.fft.fftn(x:to(nl.complex64), {dim = dims})
      assert.is_true(nl.allclose(whole, nl.fft.fftn(x, {dim = dims}), 1e-4, 1e-4))
    end
    assert.equal("42 7 1", strides(x:to(nl.complex64):angle()))
    assert.equal("1 5 30", strides(x:angle()))
  end)

  it("changes no values", function()
    for _, case in ipairs(cases) do
      for _, layout in ipairs(layouts) do
        if not case[1]:find "rand" and not case[1]:find "dropout" and not case[1]:find "rrelu" then
          nl.manual_seed(1)
          local x = layout[2]()
          local want = numbers(result(case[1], x:contiguous()))
          assert.is_true(nl.allclose(numbers(result(case[1], x)), want, {rtol = 1e-5, atol = 1e-6}),
            case[1] .. ", " .. layout[1])
        end
      end
    end
  end)
end)

describe("a result of 8 MB and more, which is written past the caches,", function()
  it("has what pieces of it have", function()
    local n = (2 << 20) + 37
    local x, y = nl.randn(n), nl.randn(n)
    local function functions(a, b)
      return {a + b, a * 2 + 1, nl.where(a:gt(0), a, b), a:double() * b, a:gt(b), nl.add(a, b:int())}
    end
    local function written(a, b) return {a:clone():add_(b), a:clone():mul_(a), a:clone():relu_()} end
    for _, f in ipairs {functions, written} do
      local whole, first, last = f(x, y), f(x[{{1, 1000}}], y[{{1, 1000}}]), f(x[{{-1000}}], y[{{-1000}}])
      for i, t in ipairs(whole) do
        assert.is_true(nl.equal(first[i], t[{{1, #first[i]}}]), i)
        assert.is_true(nl.equal(last[i][{{2}}], t[{{-(#last[i] - 1)}}]), i)
      end
    end
  end)

  it("computes lines of any length with operands that broadcast", function()
    for _, dtype in ipairs {nl.float32, nl.float64, nl.float16, nl.int64, nl.complex64} do
      for _, shape in ipairs {{7, 3}, {130, 5}, {40, 33}, {9, 200}, {3, 6, 17}} do
        local n = shape[#shape]
        local column, line = {table.unpack(shape)}, {table.unpack(shape)}
        column[#shape], line[#shape - 1] = 1, 1
        local x = nl.randint(1, 9, shape):to(dtype)
        for _, other in ipairs {column, line, {1}} do
          local y = nl.randint(1, 9, other):to(dtype)
          local repeated = y:expand(shape):clone()
          assert.is_true(nl.equal(x * repeated, x * y))
          assert.is_true(nl.equal(repeated:sub(x), y - x))
          local wide = nl.cat({x, x, x}, -1)
          wide:narrow(-1, n + 1, n):mul_(y)
          assert.is_true(nl.equal(nl.cat({x, x * repeated, x}, -1), wide))
        end
      end
    end
  end)
end)
