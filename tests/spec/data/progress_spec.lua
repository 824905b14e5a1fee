-- nl.progress.
local nl = require "nnlua"
local process = require "support.process"

-- What is written to a terminal.
local function paper()
  local text = {}
  return {write = function(_, ...) for _, part in ipairs {...} do text[#text + 1] = part end end}, text
end

describe("nl.progress", function()
  it("passes on what it loops over", function()
    local seen = {}
    for i in nl.progress(3) do seen[#seen + 1] = i end
    for i, v in nl.progress {"a", "b"} do seen[#seen + 1] = i .. v end
    local data = nl.utils.data
    for x, y in nl.progress(data.DataLoader(data.TensorDataset(nl.ones(2), nl.zeros(2)), {batch_size = 2})) do
      seen[#seen + 1] = x:sum():item() + y:sum():item()
    end
    local n = 0
    for a, b, c in nl.progress(function()
      n = n + 1
      if n < 3 then return n, nil, "c" end
    end) do
      seen[#seen + 1] = a .. tostring(b) .. c
    end
    assert.same({1, 2, 3, "1a", "2b", 2, "1nilc", "2nilc"}, seen)
  end)

  it("shows the share, the rate, the time left and one's own figures, and clears its line", function()
    local out, text = paper()
    local progress = nl.progress(10, {desc = "epoch 1", out = out, interval = 0})
    for i in progress do
      progress:set("loss", nl.tensor(0.5))
      progress:set {right = 3}
      if i == 6 then
        assert.matches("^\repoch 1   50 %%  %[###+ +%]  5/10  [%d.]+/s  %d:%d%d left  loss 0.5  right 3\27%[K$",
          table.concat(text):match "\r[^\r]*$")
      end
    end
    assert.equal("\r\27[K", text[#text])
  end)

  it("leaves its last line behind if asked to", function()
    local out, text = paper()
    for _ in nl.progress(4, {out = out, leave = true}) do end -- luacheck: ignore
    assert.matches("100 %%.* 4/4.*\n$", table.concat(text))
  end)

  it("counts where there is no end to see", function()
    local out, text = paper()
    local n = 0
    for _ in nl.progress(function() n = n + 1; return n < 5 and n or nil end, {out = out, interval = 0}) do
      n = n + 0
    end
    assert.matches("\r3  [%d.]+/s  0:00", table.concat(text))
  end)

  it("is quiet where stderr is no terminal", function()
    local result = process.run_nnlua {"-e", [[
      local nl = require "nnlua"
      local progress <close> = nl.progress(1000, {desc = "quiet"})
      for _ in progress do progress:set("a", 1) end
      progress:print "done"]]}
    assert.same({"done\n", ""}, {result.stdout, result.stderr})
  end)

  it("looks at the clock seldom where steps are short", function()
    local result = process.run_nnlua {"-e", [[
      local nl, system = require "nnlua", require "nnlua.system"
      local now, looks, lines = 0, 0, 0
      function system.clock()
        looks = looks + 1
        return now
      end
      local out = {write = function(_, first, text) if text then lines = lines + 1 end end}
      for _ in nl.progress(100000, {out = out, interval = 0.1}) do now = now + 1e-5 end
      print(looks, lines)]]}
    local looks, lines = result.stdout:match "^(%d+)\t(%d+)\n$"
    assert.is_true(tonumber(looks) < 100, result.stdout)
    assert.is_true(tonumber(lines) >= 7 and tonumber(lines) <= 10, result.stdout)
  end)

  it("checks its arguments", function()
    assert.error_matches(function() nl.progress("text") end, "a loader, a function, a list or a number was expected")
    assert.error_matches(function() nl.progress(3, {description = "x"}) end, "no argument is called 'description'")
  end)
end)
