-- Sorting, searching, einsum and lists of tensors: what the oracle's cases and the loops over rows don't show.
local nl = require "nnlua"

local function list(t) return t:tolist() end

describe("sorting", function()
  it("puts nan last, or first when descending, and keeps equal ones in order", function()
    local nan = 0 / 0
    local x = nl.tensor({3.0, nan, -0.0, 0.0, -1.0, nan})
    local _, up = nl.sort(x)
    local _, down = nl.sort(x, 1, true)
    assert.same({5, 3, 4, 1, 2, 6}, list(up))
    assert.same({2, 6, 1, 3, 4, 5}, list(down))
  end)

  for _, dtype in ipairs {"float32", "float64", "float16", "int8", "uint8", "int16", "int32", "int64"} do
    it("orders rows of every length: " .. dtype, function()
      nl.manual_seed(3)
      for _, n in ipairs {1, 2, 15, 16, 17, 100, 300, 1500, 9000} do
        local x = (nl.randn(2, n) * 40):to(nl[dtype == "uint8" and "int32" or dtype])
        if dtype == "uint8" then x = (x + 100):to(nl.uint8) end
        for _, descending in ipairs {false, true} do
          local values, positions = nl.sort(x, 2, descending)
          local v, p = values:to(nl.float64):tolist(), positions:tolist()
          assert.is_true(nl.equal(x:gather(2, positions), values))
          local wrong = 0
          for r = 1, 2 do
            for i = 2, n do
              local a, b = v[r][i - 1], v[r][i]
              if descending then a, b = b, a end
              if not (a < b or (a == b and p[r][i - 1] < p[r][i])) then wrong = wrong + 1 end
            end
          end
          assert.equal(0, wrong)
          for _, k in ipairs {1, n // 3, n // 2 + 1} do
            local top, at = nl.topk(x, k, 2, descending)
            assert.is_true(nl.equal(top, values:narrow(2, 1, k)))
            assert.is_true(nl.equal(at, positions:narrow(2, 1, k)))
          end
        end
      end
    end)
  end

  it("finds unique elements in three ways alike", function()
    nl.manual_seed(4)
    local near = nl.randint(-5, 6, {50})
    local far = near * 1000003
    for _, x in ipairs {near, far, far:to(nl.float64)} do
      local values, inverse, counts = nl.unique(x, true, true, true)
      assert.is_true(nl.equal(values:take(inverse), x))
      assert.same(list(nl.bincount(inverse)), list(counts))
      assert.is_true(nl.equal(values, (nl.sort(values))))
    end
  end)
end)

describe("einsum", function()
  it("agrees with loops over the letters", function()
    nl.manual_seed(5)
    local a, b, c = nl.randn(2, 3, {dtype = nl.float64}), nl.randn(3, 4, 3, {dtype = nl.float64}),
      nl.randn(4, {dtype = nl.float64})
    local y = nl.einsum("ij, jkj, k -> ki", a, b, c)
    for k = 1, 4 do
      for i = 1, 2 do
        local sum = 0
        for j = 1, 3 do sum = sum + a[{i, j}]:item() * b[{j, k, j}]:item() * c[k]:item() end
        assert.near(sum, y[{k, i}]:item(), 1e-12)
      end
    end
  end)

  it("orders letters by itself, takes ellipses, and broadcasts sizes of 1", function()
    local x = nl.arange(0, 6):reshape(2, 3):to(nl.float32)
    assert.same(list(x.T), list(nl.einsum("ba", x)))
    assert.same(4.0, nl.einsum("ii", x:narrow(2, 1, 2)):item())
    assert.same("[2, 2, 4]", tostring(nl.einsum("...ij,...jk", nl.ones(2, 2, 3), nl.ones(1, 3, 4)).shape))
    assert.same(list(x * 3), list(nl.einsum("ij,ik->ij", x, nl.ones(1, 3))))
  end)

  it("says what is wrong with an equation", function()
    local x = nl.ones(2, 3)
    local wrong = {["ij->k"] = "no operand has", ["ijk"] = "fewer dimensions", ["i"] = "more dimensions",
                   ["ij,jk"] = "more operands", ["i?"] = "no letter", ["ij->ii"] = "twice"}
    for equation, text in pairs(wrong) do
      local ok, message = pcall(nl.einsum, equation, x)
      assert.is_false(ok)
      assert.is_truthy(message:find(text, 1, true), equation .. ": " .. message)
    end
  end)
end)

describe("lists of arguments", function()
  it("may be tensors one by one", function()
    local a, b = nl.ones(2), nl.zeros(3)
    assert.same({2, 3}, {nl.meshgrid(a, b).shape:unpack()})
    assert.same({3, 2}, {nl.meshgrid({a, b}, "xy").shape:unpack()})
    assert.same({6, 2}, {nl.cartesian_prod(a, b).shape:unpack()})
    assert.is_false(pcall(nl.cat, a, b))
  end)

  it("may be two lists of dimensions", function()
    local a, b = nl.ones(2, 3, 4), nl.ones(4, 2, 5)
    assert.same({3, 5}, {nl.tensordot(a, b, {{1, 3}, {2, 1}}).shape:unpack()})
    assert.is_false(pcall(nl.tensordot, a, b, {{1, 3}, {2}}))
    assert.is_false(pcall(nl.tensordot, a, b, {{1, 0}, {2, 1}}))
  end)

  it("tell the shape that shapes broadcast to", function()
    assert.same("[4, 2, 3]", tostring(nl.broadcast_shapes({2, 1}, {3}, nl.zeros(4, 1, 1).shape)))
    assert.is_false(pcall(nl.broadcast_shapes, {2}, {3}))
    assert.is_false(pcall(nl.broadcast_shapes, "2"))
  end)
end)

describe("as_tensor", function()
  it("hands on tensors, casts them, and makes new ones of tables", function()
    local x = nl.ones(2)
    assert.equal(x, nl.as_tensor(x))
    assert.equal(x, nl.asarray(x, {dtype = nl.float32}))
    assert.equal(nl.float64, nl.as_tensor(x, {dtype = nl.float64}).dtype)
    assert.same({1, 2}, list(nl.as_tensor({1, 2})))
    assert.equal(nl.float32, nl.as_tensor({1, 2}, {dtype = nl.float32}).dtype)
  end)
end)

describe("truth values", function()
  it("are 0 or 1 in memory, whatever was there before", function()
    local bytes = nl.full({600}, 244, {dtype = nl.uint8})
    local message = "view: bytes other than 0 and 1 are no truth values: x:ne(0) makes some"
    assert.error_matches(function() bytes:view(nl.bool) end, message, 1, true)
    assert.error_matches(function() nl.ones(2):view(nl.bool) end, message, 1, true)
    assert.same({true, false}, list(nl.tensor({1, 0}, {dtype = nl.uint8}):view(nl.bool)))
    for _ = 1, 3 do
      bytes = nil
      collectgarbage()
      assert.is_false(nl.empty(600, {dtype = nl.bool}):any():item())
      assert.is_false(nl.ones(2):new_empty({600}, {dtype = nl.bool}):any():item())
      assert.is_false(nl.empty_strided({3}, {200}, {dtype = nl.bool}):as_strided({401}, {1}):any():item())
      bytes = nl.full({600}, 244, {dtype = nl.uint8})
    end
  end)
end)

describe("windows", function()
  it("are what their formulas say", function()
    for name, f in pairs {
      hann_window = function(t) return 0.5 - 0.5 * math.cos(t) end,
      hamming_window = function(t) return 0.54 - 0.46 * math.cos(t) end,
      blackman_window = function(t) return 0.42 - 0.5 * math.cos(t) + 0.08 * math.cos(2 * t) end,
    } do
      for _, periodic in ipairs {true, false} do
        local n = periodic and 9 or 8
        local w = nl[name](9, periodic, {dtype = nl.float64})
        for i = 0, 8 do assert.near(f(2 * math.pi * i / n), w[i + 1]:item(), 1e-15) end
      end
    end
    assert.same({0.0, 0.5, 1.0, 0.5}, list(nl.bartlett_window(4)))
    assert.near(1, nl.kaiser_window(5, false)[3]:item(), 1e-7)
  end)
end)
