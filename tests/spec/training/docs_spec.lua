-- docs/training.md: its blocks are run in a folder of their own, and print what stands there.
local process = require "support.process"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

describe("docs/training.md", function()
  local blocks, folder = {}, nil

  setup(function()
    for block in read "docs/training.md":gmatch "```lua\n(.-)```" do blocks[#blocks + 1] = block end
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir '" .. folder .. "'")
  end)

  teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

  local function run(block)
    local path = folder .. "/block.lua"
    local file <close> = assert(io.open(path, "w"))
    file:write('local nl = require "nnlua"\n', block)
    file:close()
    local result = process.run {"sh", "-c", 'cd "$1" && exec "$0" block.lua', process.nnlua, folder}
    assert.equal("", result.stderr)
    assert.equal(0, result.code)
    return result.stdout
  end

  it("has blocks that run, and print what they say", function()
    assert.is_true(#blocks >= 5)
    for _, block in ipairs(blocks) do
      local said = {}
      for text in block:gmatch "%-%-> ([^\n]*)" do said[#said + 1] = text .. "\n" end
      local printed = run(block)
      if #said > 0 then assert.equal(table.concat(said), printed) end
    end
  end)

  it("has a loop that a second start finds at its end", function()
    local loop
    for _, block in ipairs(blocks) do
      if block:find("run.ckpt", 1, true) then loop = block end
    end
    run(loop)
    assert.equal("", (run(loop):gsub("epoch 3: accuracy [%d.]+\n", "")))
  end)
end)
