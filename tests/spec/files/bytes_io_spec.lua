-- nl.io.BytesIO, beside what the specs of files show of it.
local nl = require "nnlua"

describe("nl.io.BytesIO", function()
  it("reads up to its end, whatever is asked for", function()
    local buffer = nl.io.BytesIO "abcdef"
    buffer:seek(2)
    assert.equal("cd", buffer:read(2))
    assert.equal("ef", buffer:read(math.maxinteger))
    assert.equal("", buffer:read(math.maxinteger))
    assert.equal(6, buffer:tell())
    buffer:seek(10)
    assert.equal("", buffer:read(3))
    assert.equal("", buffer:read())
    assert.equal(10, buffer:tell())
    buffer:seek(1)
    assert.equal("bcdef", buffer:read "a")
  end)

  it("fills with zeros what lies between its end and what is written", function()
    local buffer = nl.io.BytesIO "a"
    buffer:seek(3)
    assert.equal("a\0\0b", buffer:write("b"):getvalue())
    buffer:seek(1 << 40)
    assert.error_matches(function() buffer:write "x" end, "BytesIO:write: the buffer stands .* bytes behind its end")
    assert.equal("a\0\0b", buffer:getvalue())
  end)
end)
