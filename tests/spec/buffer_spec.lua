-- nl.frombuffer: a string's bytes as elements, compared with string.pack.
local nl = require "nnlua"

describe("frombuffer", function()
  it("takes bytes as they are", function()
    local x = nl.frombuffer("abc\0\255", {dtype = nl.uint8})
    assert.equal(nl.uint8, x.dtype)
    assert.same({97, 98, 99, 0, 255}, x:tolist())
    assert.same({-1}, nl.frombuffer("\255", nl.int8):tolist())
  end)

  it("reads elements as string.pack writes them", function()
    local text = string.pack("=i4=i4=i4", 1, -2, 3)
    assert.same({1, -2, 3}, nl.frombuffer(text, nl.int32):tolist())
    assert.same({-2}, nl.frombuffer(text, {dtype = nl.int32, count = 1, offset = 4}):tolist())
    assert.same({0.5, -2.25}, nl.frombuffer(string.pack("=d=d", 0.5, -2.25), nl.float64):tolist())
    assert.same({true, false, true}, nl.frombuffer("\1\0\7", nl.bool):tolist())
  end)

  it("gives an empty tensor of an empty string", function()
    assert.same({0}, {table.unpack(nl.frombuffer("", nl.float32).shape)})
  end)

  it("keeps nothing of the string: the tensor can be changed", function()
    local text = "aa"
    local x = nl.frombuffer(text, nl.uint8)
    x:fill_(98)
    assert.equal("aa", text)
    assert.same({98, 98}, x:tolist())
  end)

  it("refuses what does not fit", function()
    local function message(...)
      local _, text = pcall(nl.frombuffer, ...)
      return text
    end
    assert.matches("no whole number of int32", message("abcde", nl.int32))
    assert.matches("more than the 4 bytes", message("abcd", nl.int32, 2))
    assert.matches("offset 5 is outside", message("abcd", nl.uint8, -1, 5))
    assert.matches("offset %-1 is outside", message("abcd", nl.uint8, -1, -1))
    assert.matches("a string expected", message({}, nl.uint8))
    assert.matches("'dtype'", message("abcd"))
    assert.matches("can't require gradients", message("abcd", {dtype = nl.int32, requires_grad = true}))
    assert.matches("unknown argument 'kind'", message("abcd", {kind = 1}))
    assert.matches("elements of 8 bytes", message("abcdefgh", nl.float64, math.maxinteger))
  end)
end)
