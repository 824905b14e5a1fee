-- Attention against the formula in ops, over shapes that need several tiles.
local nl = require "nnlua"
local F = nl.F
local inf = math.huge

local function random(...)
  return nl.randn({...}, {dtype = nl.float64, requires_grad = true})
end

local function composed(q, k, v, mask, is_causal, scale)
  local scores = q:matmul(k:transpose(-2, -1)) * (scale or 1 / math.sqrt(q:size(-1)))
  if is_causal then
    local rows, columns = nl.arange(q:size(-2)):unsqueeze(2), nl.arange(k:size(-2))
    scores = scores:masked_fill(columns:gt(rows), -inf)
  end
  if mask and mask.dtype == nl.bool then
    scores = scores:masked_fill(mask:eq(false), -inf)
  elseif mask then
    scores = scores + mask
  end
  return scores:softmax(-1):matmul(v)
end

local function gradients(y, inputs)
  local weights = nl.linspace(-3, 2, y:numel(), {dtype = y.dtype}):tanh():reshape(y.shape)
  return nl.autograd.grad((y * weights):sum(), inputs, {as_table = true})
end

local function assert_close(a, b, tolerance)
  assert.equal(a.shape, b.shape)
  local distance = a:numel() == 0 and 0 or (a:double() - b:double()):norm(math.huge):item()
  assert(distance <= tolerance, ("off by %g"):format(distance))
end

local function check(q, k, v, options)
  options = options or {}
  local y = F.scaled_dot_product_attention(q, k, v, {attn_mask = options.mask, is_causal = options.is_causal or false})
  local expected = composed(q, k, v, options.mask, options.is_causal)
  assert_close(y, expected, 1e-12)
  local inputs = {q, k, v}
  if options.mask and options.mask.requires_grad then inputs[4] = options.mask end
  local ours, theirs = gradients(y, inputs), gradients(expected, inputs)
  for i = 1, #inputs do assert_close(ours[i], theirs[i], 1e-11) end
end

describe("scaled_dot_product_attention", function()
  setup(function() nl.manual_seed(3) end)

  for _, sizes in ipairs {
    {1, 1, 1, 1}, {7, 5, 3, 4}, {50, 300, 8, 6}, {200, 400, 5, 5}, {130, 130, 16, 16}, {3, 5000, 4, 2},
  } do
    local l, s, e, ev = table.unpack(sizes)
    it(("is the formula for %d queries, %d keys"):format(l, s), function()
      check(random(2, l, e), random(2, s, e), random(2, s, ev))
    end)

    it(("is the formula for %d queries, %d keys, causal"):format(l, s), function()
      check(random(2, l, e), random(2, s, e), random(2, s, ev), {is_causal = true})
    end)
  end

  it("takes masks that broadcast, of bool and of numbers", function()
    local q, k, v = random(2, 3, 20, 4), random(2, 3, 30, 4), random(2, 3, 30, 4)
    check(q, k, v, {mask = nl.rand(20, 30):gt(0.2)})
    check(q, k, v, {mask = nl.rand(2, 1, 1, 30):gt(0.2)})
    check(q, k, v, {mask = nl.randn({2, 3, 20, 30}, {dtype = nl.float64})})
    check(q, k, v, {mask = random(3, 20, 1)})
  end)

  it("adds up the gradients of what broadcasts over batches", function()
    check(random(2, 3, 6, 4), random(3, 5, 4), random(1, 5, 4))
    check(random(6, 4), random(2, 3, 5, 4), random(3, 5, 4))
  end)

  it("takes heads as they lie within rows, and gives them back so", function()
    local x = nl.randn({2, 10, 3 * 12}, {dtype = nl.float64, requires_grad = true})
    local heads = {}
    for i, part in ipairs(x:split(12, 3, {as_table = true})) do heads[i] = part:reshape(2, 10, 3, 4):transpose(2, 3) end
    check(heads[1], heads[2], heads[3], {is_causal = true})
    local y = F.scaled_dot_product_attention(heads[1], heads[2], heads[3])
    assert.is_true(y:transpose(2, 3):is_contiguous())
    assert_close(gradients(y, {x})[1], gradients(composed(heads[1], heads[2], heads[3]), {x})[1], 1e-11)
  end)

  it("takes no keys, no queries, no batch", function()
    assert_close(F.scaled_dot_product_attention(random(2, 3), random(0, 3), random(0, 4)),
      nl.zeros({2, 4}, {dtype = nl.float64}), 0)
    check(random(0, 3), random(5, 3), random(5, 4))
    check(random(0, 2, 3), random(0, 5, 3), random(0, 5, 4))
  end)

  it("gives zeros for queries that may see nothing", function()
    local mask = nl.tensor {{true, true}, {false, false}}
    local y = F.scaled_dot_product_attention(random(2, 3), random(2, 3), random(2, 3), mask)
    assert.is_false(y[1]:ne(y[1]):any():item())
    assert.is_true(y[2]:eq(0):all():item())
  end)

  it("goes on from keys that are all hidden to others, and the other way round", function()
    local q, k, v = random(7, 4), random(300, 4), random(300, 4)
    local mask = nl.zeros({7, 300}, {dtype = nl.bool})
    mask[{1, {290, 300}}] = true
    mask[{2, {1, 5}}] = true
    mask[{3, {140, 150}}] = true
    mask[{5, {}}] = true
    mask[{6, {300}}] = true
    mask[{7, {1}}] = true
    local visible = nl.tensor {1, 2, 3, 5, 6, 7}
    local y = F.scaled_dot_product_attention(q, k, v, mask)
    local expected = composed(q:index_select(1, visible), k, v, mask:index_select(1, visible))
    assert_close(y:index_select(1, visible), expected, 1e-12)
    assert.is_true(y[4]:eq(0):all():item())
    local weights = nl.linspace(-3, 2, 28, {dtype = nl.float64}):reshape(7, 4)
    local ours = nl.autograd.grad((y * weights):sum(), {q, k, v}, {as_table = true})
    local theirs = nl.autograd.grad((expected * weights:index_select(1, visible)):sum(), {q, k, v}, {as_table = true})
    for i = 1, 3 do assert_close(ours[i], theirs[i], 1e-11) end
  end)

  it("keeps its precision where scores are far apart", function()
    local q, k, v = random(20, 6), random(260, 6), random(260, 5)
    local scale = 300
    local y = F.scaled_dot_product_attention(q, k, v, {scale = scale})
    local expected = composed(q, k, v, nil, false, scale)
    assert_close(y, expected, 1e-12)
    local ours, theirs = gradients(y, {q, k, v}), gradients(expected, {q, k, v})
    for i = 1, 3 do assert_close(ours[i], theirs[i], 1e-9) end
    local single = F.scaled_dot_product_attention(q:float(), k:float(), v:float(), {scale = 3})
    assert_close(single, composed(q, k, v, nil, false, 3), 5e-5)
  end)

  it("makes nan of rows with nan or infinite scores", function()
    local q, k, v = random(3, 2):detach(), random(200, 2):detach(), random(200, 2):detach()
    q[{2, 1}] = 0 / 0
    q[{3, 1}] = inf
    local y = F.scaled_dot_product_attention(q, k, v)
    assert.is_false(y[1]:isnan():any():item())
    assert.is_true(y[2]:isnan():all():item())
    assert.is_true(y[3]:isnan():all():item())
  end)

  it("shares heads of keys and values among heads of queries, as repeated ones", function()
    for _, heads in ipairs {{6, 3, 3}, {6, 1, 1}, {6, 2, 3}, {6, 6, 2}, {4, 2, 1}} do
      local n, nk, nv = table.unpack(heads)
      local q, k, v = random(2, n, 9, 4), random(2, nk, 7, 4), random(2, nv, 7, 4)
      local mask = nl.randn({2, n, 9, 7}, {dtype = nl.float64})
      local wide_k, wide_v = k:repeat_interleave(n // nk, 2), v:repeat_interleave(n // nv, 2)
      for _, options in ipairs {{}, {attn_mask = mask}, {attn_mask = mask[{{}, {1}}]}, {is_causal = true}} do
        options.enable_gqa = true
        local y = F.scaled_dot_product_attention(q, k, v, options)
        local expected = composed(q, wide_k, wide_v, options.attn_mask, options.is_causal)
        assert_close(y, expected, 1e-12)
        local ours, theirs = gradients(y, {q, k, v}), gradients(expected, {q, k, v})
        for i = 1, 3 do assert_close(ours[i], theirs[i], 1e-11) end
      end
    end
  end)

  it("drops with a mask, causally, in shared heads, and all", function()
    local q, k, v = random(2, 4, 20, 3), random(2, 2, 20, 3), random(2, 2, 20, 3)
    nl.manual_seed(9)
    local y = F.scaled_dot_product_attention(q, k, v, {dropout_p = 0.3, is_causal = true, enable_gqa = true})
    nl.manual_seed(9)
    local kept = F.dropout(nl.ones({2, 4, 20, 20}, {dtype = nl.float64}), 0.3)
    local scores = q:matmul(k:repeat_interleave(2, 2):transpose(-2, -1)) / math.sqrt(3)
    scores = scores:masked_fill(nl.ones({20, 20}, {dtype = nl.bool}):triu(1), -inf)
    local expected = (scores:softmax(-1) * kept):matmul(v:repeat_interleave(2, 2))
    assert_close(y, expected, 1e-12)
    local ours, theirs = gradients(y, {q, k, v}), gradients(expected, {q, k, v})
    for i = 1, 3 do assert_close(ours[i], theirs[i], 1e-11) end
    assert.is_true(F.scaled_dot_product_attention(q, q, q, {dropout_p = 1}):eq(0):all():item())
  end)

  it("has second derivatives, with dropout's factors too", function()
    local q, k, v = random(4, 3), random(5, 3), random(5, 2)
    local function second(y)
      local first = nl.autograd.grad(y:square():sum(), {q, k, v}, {create_graph = true, as_table = true})
      return nl.autograd.grad(first[1]:sin():sum() + first[2]:sin():sum() + first[3]:sin():sum(), {q, k, v},
        {as_table = true})
    end
    nl.manual_seed(2)
    local ours = second(F.scaled_dot_product_attention(q, k, v, {dropout_p = 0.5}))
    nl.manual_seed(2)
    local kept = F.dropout(nl.ones({4, 5}, {dtype = nl.float64}), 0.5)
    local theirs = second(((q:matmul(k.T) / math.sqrt(3)):softmax(-1) * kept):matmul(v))
    for i = 1, 3 do assert_close(ours[i], theirs[i], 1e-11) end
  end)

  it("draws dropout's factors as functional.dropout does, and uses them again in the backward", function()
    local q, k, v = random(2, 6, 4), random(2, 8, 4), random(2, 8, 4)
    nl.manual_seed(7)
    local y = F.scaled_dot_product_attention(q, k, v, {dropout_p = 0.4})
    nl.manual_seed(7)
    local weights = (q:matmul(k:transpose(-2, -1)) / 2):softmax(-1)
    local expected = F.dropout(weights, 0.4):matmul(v)
    assert_close(y, expected, 1e-12)
    local ours, theirs = gradients(y, {q, k, v}), gradients(expected, {q, k, v})
    for i = 1, 3 do assert_close(ours[i], theirs[i], 1e-11) end
  end)

  it("computes halves in float32", function()
    local q, k, v = random(5, 4):half(), random(6, 4):half(), random(6, 4):half()
    local y = F.scaled_dot_product_attention(q, k, v)
    assert.equal(nl.float16, y.dtype)
    assert_close(y, composed(q:float(), k:float(), v:float()), 2e-3)
  end)

  it("does not depend on the number of threads", function()
    local q, k, v = nl.randn(3, 2, 150, 32), nl.randn(3, 2, 150, 32), nl.randn(3, 2, 150, 32)
    local threads = nl.get_num_threads()
    nl.set_num_threads(1)
    local one = F.scaled_dot_product_attention(q, k, v)
    nl.set_num_threads(3)
    local three = F.scaled_dot_product_attention(q, k, v)
    nl.set_num_threads(threads)
    assert.is_true(nl.equal(one, three))
  end)

  it("tells what doesn't fit", function()
    local q, k = random(2, 3, 4), random(2, 5, 4)
    local function fails(text, ...)
      local ok, message = pcall(F.scaled_dot_product_attention, ...)
      assert.is_false(ok)
      assert.truthy(message:find(text, 1, true), message)
    end
    fails("differ in width", q, random(2, 5, 3), k)
    fails("differ in length", q, k, random(2, 6, 4))
    fails("doesn't broadcast", q, random(3, 5, 4), k)
    fails("not both", q, k, k, {attn_mask = nl.ones(3, 5), is_causal = true})
    fails("attn_mask is float32 and query float64", q, k, k, nl.ones(3, 5))
    fails("attn_mask of shape (3, 4) doesn't broadcast", q, k, k, nl.ones({3, 4}, {dtype = nl.float64}))
    fails("at least [length, width]", q, k, random(4))
    fails("dropout_p", q, k, k, {dropout_p = 2})
    fails("are no multiple", q, random(3, 5, 4), random(3, 5, 4), {enable_gqa = true})
  end)
end)
