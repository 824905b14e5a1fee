-- Limits of dtypes, the version, the time, and nl.repr.
local nl = require "nnlua"

local function failure(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

-- Values of PyTorch 2.15.
describe("nl.finfo", function()
  it("tells the limits of floating dtypes", function()
    local expected = {
      float16 = {16, 0.0009765625, 65504.0, 6.103515625e-05, 0.001},
      bfloat16 = {16, 0.0078125, 3.3895313892515355e+38, 1.1754943508222875e-38, 0.01},
      float32 = {32, 1.1920928955078125e-07, 3.4028234663852886e+38, 1.1754943508222875e-38, 1e-06},
      float64 = {64, 2.220446049250313e-16, 1.7976931348623157e+308, 2.2250738585072014e-308, 1e-15},
    }
    for name, values in pairs(expected) do
      local info = nl.finfo(nl[name])
      assert.same(values, {info.bits, info.eps, info.max, info.tiny, info.resolution})
      assert.same({-info.max, info.tiny, name}, {info.min, info.smallest_normal, info.dtype})
    end
    assert.equal(nl.finfo(nl.float32), nl.finfo(nl.complex64))
    assert.equal(nl.finfo(nl.float64), nl.finfo(nl.complex128))
    assert.equal("float32", nl.finfo().dtype)
    assert.equal("finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, "
      .. "tiny=6.10352e-05, dtype=float16)", tostring(nl.finfo(nl.float16)))
  end)

  it("refuses other dtypes", function()
    assert.matches("finfo: nnlua.int32 is no floating dtype; nl.iinfo", failure(nl.finfo, nl.int32))
    assert.matches("finfo: a dtype such as nl.float32 was expected", failure(nl.finfo, "float32"))
  end)
end)

describe("nl.iinfo", function()
  it("tells the limits of integer dtypes", function()
    local expected = {
      uint8 = {8, 0, 255}, int8 = {8, -128, 127}, int16 = {16, -32768, 32767}, int32 = {32, -2147483648, 2147483647},
      int64 = {64, math.mininteger, math.maxinteger},
    }
    for name, values in pairs(expected) do
      local info = nl.iinfo(nl[name])
      assert.same({values, name}, {{info.bits, info.min, info.max}, info.dtype})
    end
    assert.equal("iinfo(min=-128, max=127, dtype=int8)", tostring(nl.iinfo(nl.int8)))
  end)

  it("refuses other dtypes", function()
    for _, dtype in ipairs {nl.float32, nl.complex64, nl.bool} do
      assert.matches("is no integer dtype; nl.finfo", failure(nl.iinfo, dtype))
    end
    assert.matches("iinfo: a dtype such as nl.int64 was expected, not nil", failure(nl.iinfo))
  end)
end)

describe("nl", function()
  it("knows its version under PyTorch's name, too", function()
    assert.matches("^%d+%.%d+%.%d+", nl.__version__)
    assert.equal(nl._VERSION, nl.__version__)
  end)

  it("tells the time of day", function()
    local before = os.time()
    local seconds, nanoseconds = nl.time(), nl.time_ns()
    assert.equal("float", math.type(seconds))
    assert.equal("integer", math.type(nanoseconds))
    local after = os.time() + 1
    assert.is_true(before - 1 <= seconds and seconds <= after)
    assert.is_true((before - 1) * 1000000000 <= nanoseconds and nanoseconds <= after * 1000000000)
  end)
end)

describe("nl.repr", function()
  it("shows what is in a value", function()
    assert.equal('{1, "two", {b = 2.0}, deep = {{{…}}}}', nl.repr({1, "two", {b = 2.0}, deep = {{{3}}}}, {depth = 3}))
    assert.equal('"a\\nb"', nl.repr "a\nb")
    assert.equal("nil", nl.repr(nil))
    assert.equal("tensor([1., 1.])", nl.repr(nl.ones(2)))
    assert.equal("{1, 2, … 3 more}", nl.repr({1, 2, 3, 4, 5}, {items = 2}))
    assert.equal("{\n  \"aaaaaaaa\",\n  \"bbbbbbbb\",\n}", nl.repr({"aaaaaaaa", "bbbbbbbb"}, {width = 20}))
    assert.equal("ReLU()", nl.repr(nl.nn.ReLU()))
    assert.matches("repr: no argument is called 'widht'", failure(nl.repr, {}, {widht = 20}))
  end)
end)
