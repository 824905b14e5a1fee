-- Arguments of functions written in Lua.
local nl = require "nnlua"
local args = require "nnlua.args"

local parse = args.parser("f", {
  {"size", "integer"}, {"bias", "boolean", true}, {"name", "string?"}, {"weight", "tensor?"},
})

describe("arguments", function()
  it("come by position, by name, or by default", function()
    assert.same({3, true}, {parse(3)})
    assert.same({3, false}, {parse(3, false)})
    assert.same({3, true, "x", n = 4}, table.pack(parse(3, nil, "x")))
    assert.same({3, false, "x", n = 4}, table.pack(parse(3, {name = "x", bias = false})))
    assert.same({4, true, n = 4}, table.pack(parse {size = 4}))
    local w = nl.zeros(1)
    assert.equal(w, (select(4, parse(3, {weight = w}))))
  end)

  it("may be whole floats where integers are wanted", function()
    assert.equal("integer", math.type((parse(3.0))))
    assert.error_matches(function() parse(3.5) end, "f: size must be an integer, not 3.5")
  end)

  it("may be none", function()
    assert.same({3, nil, nil, nil, n = 4}, table.pack(parse(3, nl.none)))
  end)

  it("are checked", function()
    assert.error_matches(function() parse() end, "f: size is missing")
    assert.error_matches(function() parse("3") end, "f: size must be an integer, not a string")
    assert.error_matches(function() parse(3, {weight = 1}) end, "f: weight must be a tensor, not a number")
    assert.error_matches(function() parse(3, {biass = true}) end,
      "f: no argument is called 'biass'; did you mean 'bias'%? there are: size, bias, name, weight")
    assert.error_matches(function() parse(3, {size = 3}) end, "f: size is given twice")
    assert.error_matches(function() parse(3, true, "x", nil, 5) end, "f: at most 4 arguments are taken")
    assert.error_matches(function() parse(3, {"x", name = "y"}) end, "positional and named values")
    assert.same({3, true}, {parse(3, nil, nil, nil, nil)})
  end)

  it("name the user's line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, err = pcall(function() nl.nn.Linear("x") end)
    assert.matches("args_spec%.lua:" .. line .. ": nn.Linear: in_features must be an integer", err)
  end)
end)
