-- Userdata of each kind are told from each other, wherever they are given.
local nl = require "nnlua"
local process = require "support.process"
local userdata = require "support.userdata"

local folder = process.nnlua:match "^(.*)/[^/]*$" or "."

describe("userdata", function()
  it("of every kind may be given as every argument", function()
    local faults = {}
    userdata.try_all(function(text) table.insert(faults, text) end)
    assert.same({}, faults)
  end)

  it("may be so in a C host, whose allocator hides nothing", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write [[
      package.path = "tests/?.lua;" .. package.path
      local n = 0
      require "support.userdata".try_all(function(text) n = n + 1 print(text) end)
      print(n .. " faults")
    ]]
    file:close()
    local result = process.run {folder .. "/nnlua_script", path}
    os.remove(path)
    assert.equal("0 faults\n", result.stdout .. result.stderr)
    assert.equal(0, result.code)
  end)

  it("nl.newaxis and nl.ellipsis are no sizes", function()
    for _, value in ipairs {nl.newaxis, nl.ellipsis} do
      assert.error_matches(function() nl.zeros(value) end, "zeros: argument 'size': a list of integers expected, got nl%.")
      assert.error_matches(function() nl.tensor(value) end, "tensor: ")
      assert.error_matches(function() nl.ones(2):view(value) end, "got nl%.")
    end
  end)

  it("of hooks and modes are what their methods take, and nothing else", function()
    local x = nl.ones(2, {requires_grad = true})
    local remove, close = x:register_hook(function() end).remove, nl.no_grad().close
    nl._reset_modes()
    for _, given in ipairs(userdata.values()) do
      local ok, message = pcall(remove, given[2])
      assert.is_true(ok or message:find "the handle of a hook expected" ~= nil, message)
      ok, message = pcall(close, given[2])
      assert.is_true(ok or message:find "a mode was expected" ~= nil, message)
    end
  end)
end)
