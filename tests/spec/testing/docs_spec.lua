-- docs/testing.md: its example is run, and prints what stands there.
local process = require "support.process"

local function write(path, text)
  os.execute("mkdir -p '" .. path:match "^(.*)/" .. "'")
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

local function without_time(text)
  return (text:gsub(" : [%d.e-]+ seconds", ""))
end

describe("docs/testing.md", function()
  local page, folder, model, spec

  setup(function()
    local file <close> = assert(io.open "docs/testing.md")
    page = file:read "a"
    local blocks = page:gmatch "```lua\n(.-)```"
    model, spec = blocks(), blocks()
    folder = os.tmpname()
    os.remove(folder)
    write(folder .. "/spec/attend_spec.lua", spec)
  end)

  teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

  local function run()
    return process.run {"sh", "-c", 'cd "$1" && exec "$0" test', process.nnlua, folder}
  end

  it("shows what its example prints", function()
    write(folder .. "/lua/attend.lua", model)
    local result = run()
    assert.equal("", result.stderr)
    assert.equal(1, result.code)
    assert.equal(without_time(page:match "%$ nnlua test\n(.-)```"), without_time(result.stdout))
  end)

  it("says rightly what mends it", function()
    local mended = model:gsub("k:size%(1%)", "k:size(2)"):gsub("\n  self.scale = [^\n]*", "")
    write(folder .. "/lua/attend.lua", mended)
    assert.matches("^%+%+%+%+\n4 successes / 0 failures / 0 errors", run().stdout)
  end)
end)
