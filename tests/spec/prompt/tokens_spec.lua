require "nnlua"
local tokens = require "nnlua.prompt.tokens"

--- The tokens of a text as "kind:text", those that are not complete with an ellipsis.
local function shown(text)
  local list = {}
  for i, token in ipairs(tokens.of(text)) do
    list[i] = token.kind .. ":" .. token.text .. (token.complete and "" or "…")
  end
  return list
end

describe("tokens", function()
  it("have kinds", function()
    assert.same({"keyword:local", "name:x", "operator:=", "number:0x1p-4", "operator:..", "string:'a\\'b'",
      "comment:-- end"},
      shown "local x = 0x1p-4 .. 'a\\'b' -- end")
    assert.same({"number:1e+5", "number:.5", "operator:...", "operator:<<", "operator:::", "operator:~="},
      shown "1e+5 .5 ... << :: ~=")
    assert.same({"string:[==[ ]] ]==]", "comment:--[[ a\nb ]]", "name:c"}, shown "[==[ ]] ]==] --[[ a\nb ]] c")
  end)

  it("may be unfinished", function()
    assert.same({"string:'abc…"}, shown "'abc")
    assert.same({"string:'abc…", "name:d"}, shown "'abc\nd")
    assert.same({"string:[[abc\n…"}, shown "[[abc\n")
    assert.same({"comment:--[[ x…"}, shown "--[[ x")
    assert.same({"string:'\\…"}, shown "'\\")
  end)

  it("cover any text", function()
    assert.same({"operator:é", "operator:\xff", "operator:$"}, shown "é \xff $")
    for byte = 0, 255 do
      local rest = string.char(byte):rep(3)
      local last = 0
      for _, token in ipairs(tokens.of(rest)) do
        assert.is_true(token.from > last and token.to >= token.from)
        last = token.to
      end
      assert.is_true(last <= 3)
    end
  end)
end)

--- What a chunk declares as "name<attribute>", and its return statement.
local function declared(text)
  local list, return_at = tokens.declarations(text)
  local names = {}
  for i, one in ipairs(list) do names[i] = one.name .. (one.attribute and "<" .. one.attribute .. ">" or "") end
  return table.concat(names, " "), return_at and text:sub(return_at)
end

describe("the variables that a chunk declares", function()
  it("are those of its top level", function()
    assert.equal("x y<const> f",
      (declared "local x, y <const> = 1, function() local z = 3 return z end local function f() end"))
    assert.equal("b g", (declared [[
      for i = 1, 2 do local a = 1 end
      local b = "local q" -- local q
      if x then local c elseif y then local d else local e end
      while x do local h end repeat local j until j
      do local k end
      local g]]))
    assert.equal("x<close>", (declared "local x <close> = y"))
    assert.equal("", (declared "function t.f() local x end"))
  end)

  it("come with the return statement at the end", function()
    assert.equal("return x", select(2, declared "local x = function() return 1 end return x"))
    assert.is_nil(select(2, declared "if x then return 1 end"))
  end)

  it("may be broken off", function()
    for _, text in ipairs {
      "local", "local function", "local x <", "local x,", "local x <const", "end end end local x",
    } do
      assert.is_table((tokens.declarations(text)))
    end
  end)
end)
