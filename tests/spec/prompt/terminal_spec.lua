-- The prompt on a terminal, as someone who sits there sees it.
-- parts: 4
local Terminal = require "support.terminal"
local process = require "support.process"

local terminal

--- Opens the prompt on a new terminal, which is closed after the spec.
local function open(options)
  terminal = Terminal.prompt(options)
  return terminal
end

--- What the screen shows below the banner.
local function below_banner()
  return terminal:screen():match "commands\n(.*)$"
end

--- Waits until the screen shows exactly this below the banner.
local function shows(expected)
  Terminal.eventually(function() return below_banner() == expected end)
  assert.equal(expected, below_banner())
end

local function cursor_comes_to(column)
  Terminal.eventually(function() return terminal:cursor() == column end)
  assert.equal(column, (terminal:cursor()))
end

describe("the prompt on a terminal", function()
  after_each(function()
    if terminal then terminal:close() end
    terminal = nil
  end)

  it("opens by itself, says which versions these are and what is defined", function()
    open()
    terminal:enter("type(nl), nl == require 'nnlua', nn == nl.nn, F == nl.F, optim == nl.optim",
      '"table"%s+true%s+true%s+true%s+true')
    assert.matches("Lua 5%.4.-nnlua %d.-nl, nn, F, optim and help are defined", terminal:screen())
  end)

  it("leaves the user's own globals alone", function()
    open {arguments = {"-i", "-e", "nn = 'mine'"}}
    terminal:enter("nn, type(nl)", '"mine"%s+"table"')
  end)

  it("edits a line", function()
    open()
    terminal:type "print(12)"
    terminal:keys("Left", "BSpace", "BSpace", "3", "C-a", "C-d", "P", "C-e", "C-b", "C-b", "4", "C-a", "Delete", "p")
    shows "nnlua> print(43)"
    terminal:keys "Enter"
    shows "nnlua> print(43)\n43\nnnlua>"
    terminal:type "alpha beta gamma"
    terminal:keys("C-w", "C-w", "C-a", "C-y", "C-_")
    shows "nnlua> print(43)\n43\nnnlua> alpha"
    terminal:keys("C-u")
    terminal:type "ab cd"
    terminal:keys("M-b", "M-b", "M-d", "C-e", "C-t", "C-Left", "x", "Home", "y", "End", "z", "C-a", "C-Right", "C-k")
    shows "nnlua> print(43)\n43\nnnlua> y"
  end)

  it("goes on to a new line while a statement is incomplete, and indents it", function()
    open()
    terminal:submit "for i = 1, 2 do"
    terminal:submit "if i > 1 then"
    terminal:submit "print(i)"
    terminal:submit "end"
    terminal:submit "end"
    shows [[
nnlua> for i = 1, 2 do
   ...>   if i > 1 then
   ...>     print(i)
   ...>   end
   ...> end
2
nnlua>]]
  end)

  it("recalls a statement of several lines as one entry, and edits it as a whole", function()
    open()
    terminal:submit "function f(x)"
    terminal:submit "return x + 1"
    terminal:submit "end"
    terminal:wait "end\nnnlua> $"
    terminal:enter("f(1)", "\n2\n")
    terminal:keys("Up", "Up")
    terminal:wait "2\nnnlua> function f%(x%)\n   ...>   return x %+ 1\n   ...> end$"
    terminal:keys("Up", "End", "0", "Enter") -- the cursor is in the middle line
    terminal:wait "10\n   ...> end\nnnlua> $"
    terminal:enter("f(1)", "\n11\n")
    terminal:keys("Up", "Up", "Up", "Up", "Up") -- through the three lines of the newer one
    terminal:wait "11\nnnlua> function f%(x%)\n   ...>   return x %+ 1\n   ...> end$"
    terminal:keys "Down"
    terminal:wait "11\nnnlua> function f%(x%)\n   ...>   return x %+ 10\n   ...> end$"
    terminal:keys "Down"
    terminal:wait "nnlua> f%(1%)$"
  end)

  it("goes through those entries that begin with what was typed", function()
    open()
    terminal:enter "alpha = 1"
    terminal:enter "beta = 2"
    terminal:enter "alpha = 3"
    terminal:type "al"
    terminal:keys "Up"
    terminal:wait "nnlua> alpha = 3$"
    terminal:keys "Up"
    terminal:wait "nnlua> alpha = 1$"
    terminal:keys("Down", "Down")
    terminal:wait "nnlua> al$"
  end)

  it("suggests from the history in grey, which Right, Ctrl-E or a word at a time take", function()
    open()
    terminal:enter "alpha = {beta = 1}"
    terminal:enter "gamma = 2"
    local function suggests(typed, rest)
      terminal:wait("\nnnlua> " .. typed .. "$")
      local function suggested() return (terminal:screen(true):match "\27%[38;5;244m([^\27]*)" or "") end
      Terminal.eventually(function() return suggested() == rest end)
      assert.equal(rest, suggested())
    end
    terminal:type "al"
    suggests("al", "pha = {beta = 1}")
    terminal:keys "M-f"
    suggests("alpha", " = {beta = 1}")
    terminal:keys "C-Right"
    suggests("alpha = {beta", " = 1}")
    terminal:keys "Left"
    suggests("alpha = {beta", "")
    terminal:keys("Right", "Right")
    terminal:wait "nnlua> alpha = {beta = 1}$"
    terminal:keys("C-u", "g", "C-e", "Enter")
    terminal:wait "nnlua> gamma = 2\nnnlua> $"
    terminal:type "gam"
    suggests("gam", "ma = 2")
    terminal:keys "Enter" -- runs what was typed
    terminal:wait "nnlua> gam\nnil\n"
    terminal:close()
    open {env = {NO_COLOR = "1"}}
    terminal:enter "alpha = 1"
    terminal:type "al"
    terminal:wait "nnlua> al$"
    assert.not_matches("al[^\n]*pha", terminal:screen(true):match "nnlua> [^\n]*$")
  end)

  it("keeps the history for the next session, each text once", function()
    local home = Terminal.new_home()
    finally(function() os.execute("rm -rf " .. home) end)
    open {home = home}
    terminal:enter "x = 'one\\ntwo'"
    terminal:type "do"
    terminal:keys("Enter", "e", "n", "d", "Enter")
    terminal:wait "   ...> end\nnnlua> $"
    terminal:enter("x", '"one\\ntwo"\n')
    terminal:enter("x", 'two"\nnnlua> x\n')
    terminal:keys "C-d"
    terminal:wait "ended with 0"
    terminal:close()
    local file = assert(io.open(home .. "/nnlua/history"))
    assert.equal("x = 'one\\\\ntwo'\ndo\\nend\nx\n", file:read "a")
    file:close()
    open {home = home}
    terminal:keys("Up", "Up")
    terminal:wait "nnlua> do\n   ...> end$"
    terminal:keys("Up", "Up")
    terminal:wait "nnlua> x = 'one\\ntwo'$"
  end)

  it("looks for an entry by a part of it", function()
    open()
    terminal:enter "first = 'needle one'"
    terminal:enter "second = 'needle two'"
    terminal:enter "third = 3"
    terminal:keys "C-r"
    terminal:type "needle"
    terminal:wait "nnlua> second = 'needle two'\nsearch: needle$"
    terminal:keys "C-r"
    terminal:wait "nnlua> first = 'needle one'\nsearch: needle$"
    terminal:keys "C-s"
    terminal:wait "nnlua> second = 'needle two'\nsearch: needle$"
    terminal:type "x"
    terminal:wait "no such entry: needlex$"
    terminal:keys("BSpace", "C-r", "Enter")
    terminal:wait "nnlua> first = 'needle one'\nnnlua> $"
    terminal:type "kept"
    terminal:keys "C-r"
    terminal:type "third"
    terminal:wait "third = 3\nsearch: third$"
    terminal:keys "C-g"
    terminal:wait "nnlua> kept$"
  end)

  it("completes: what all candidates have in common, then one after another", function()
    open()
    terminal:enter "weights = {alpha_one = 1, alpha_two = 2, beta = 3}"
    terminal:type "weig"
    terminal:keys "Tab"
    terminal:type "."
    terminal:type "al"
    terminal:keys "Tab"
    terminal:wait "nnlua> weights.alpha_\n alpha_one  alpha_two$"
    terminal:keys "Tab"
    terminal:wait "nnlua> weights.alpha_one\n>alpha_one  alpha_two$"
    terminal:keys "Tab"
    terminal:wait "nnlua> weights.alpha_two\n alpha_one >alpha_two$"
    terminal:keys("BTab", "Enter")
    terminal:wait "nnlua> weights.alpha_one$"
    terminal:keys "Enter"
    terminal:wait "\n1\nnnlua> $"
    terminal:type "nl.ones(2):soft"
    terminal:keys "Tab"
    terminal:wait "nl.ones%(2%):softmax"
  end)

  it("says how many candidates are not shown", function()
    open()
    terminal:type "nl."
    terminal:keys "Tab"
    terminal:wait "… and %d+ more"
    terminal:keys "C-c"
    terminal:wait "nl%.%^C\nnnlua> $"
  end)

  it("takes a pasted block whole and runs it at Enter only", function()
    open()
    terminal:paste "function g(n)\n\tif n > 0 then\n\t\treturn 'tab'\n\tend\nend\nprint(g(1))\n"
    terminal:wait "print%(g%(1%)%)$"
    assert.not_matches("\ntab", terminal:screen())
    terminal:keys "Enter"
    terminal:wait "\ntab\nnnlua> $"
    terminal:keys "Up"
    terminal:wait "   ...> print%(g%(1%)%)$"
  end)

  it("clears the line at Ctrl-C", function()
    open()
    terminal:type "some text"
    terminal:keys "C-c"
    shows "nnlua> some text^C\nnnlua>"
    terminal:enter("1 + 1", "\n2\n")
  end)

  it("stops a loop of Lua at Ctrl-C", function()
    open()
    terminal:enter("x = 0", "")
    terminal:submit "print 'running' while true do x = x + 1 end"
    terminal:wait "\nrunning$"
    terminal:keys "C-c"
    terminal:wait "interrupted!.*nnlua> $"
    terminal:enter("x > 0", "true")
  end)

  it("stops a big product at Ctrl-C, between its chunks", function()
    open()
    terminal:enter("a = nl.ones(4096, 4096);", "")
    terminal:submit "print 'running' for i = 1, 1000 do a:mm(a) end"
    terminal:wait "\nrunning$"
    terminal:keys "C-c"
    terminal:wait "interrupted!.*nnlua> $"
    terminal:enter("a:sum():item() == 4096^2", "true")
  end)

  it("stops at a second Ctrl-C what catches the first", function()
    open()
    terminal:enter("a = nl.ones(900, 900);", "")
    for _, code in ipairs {
      "pcall(function() while true do end end)",
      "pcall(function() while true do a:mm(a) end end)",
      "pcall(coroutine.wrap(function() while true do pcall(function() while true do end end) end end))",
      "xpcall(function() while true do end end, function() end)",
    } do
      terminal:submit("print 'running' while true do caught = true " .. code .. " end")
      terminal:wait "\nrunning$"
      terminal:keys "C-c"
      os.execute "sleep 0.2"
      terminal:keys "C-c"
      terminal:wait "interrupted!.*nnlua> $"
      terminal:keys "C-l"
      terminal:wait "^nnlua> $"
    end
    terminal:enter("coroutine.wrap(function() return 1 + 1 end)()", "\n2\n")
  end)

  it("opens where the history and init.lua are no files", function()
    for _, make in ipairs {"mkfifo", "ln -s /dev/zero", "mkdir"} do
      local home = Terminal.new_home()
      finally(function() os.execute("rm -rf " .. home) end)
      assert(os.execute(("mkdir %s/nnlua && cd %s/nnlua && %s history && %s init.lua"):format(home, home, make, make)))
      open {home = home}
      terminal:enter("1 + 1", "\n2\n")
      terminal:keys "C-d"
      terminal:wait "ended with 0"
      terminal:close()
    end
    terminal = nil
  end)

  it("recalls and edits a line of 100,000 characters", function()
    local home = Terminal.new_home()
    finally(function() os.execute("rm -rf " .. home) end)
    assert(os.execute("mkdir " .. home .. "/nnlua"))
    local file <close> = assert(io.open(home .. "/nnlua/history", "w"))
    file:write("#'", ("a"):rep(100000), " b'\n")
    file:close()
    open {home = home}
    terminal:keys "Up"
    terminal:wait "a b'$"
    terminal:keys("Left", "C-w", "c", "d", "C-Left", "C-Left", "C-Right", "x", "Home", "Delete", "#", "End", "Enter")
    terminal:wait "\n100004\nnnlua> $"
  end)

  it("says how to leave where Ctrl-C can't stop anything, and goes on", function()
    open()
    terminal:submit "print 'running' a = ('a'):rep(22) a:find(('a?'):rep(22) .. a .. 'b')"
    terminal:wait "\nrunning$"
    local is_told = Terminal.eventually(function() -- two that come together are one
      terminal:keys "C-c"
      return terminal:screen():find "Ctrl%-\\ ends the session"
    end)
    assert.is_truthy(is_told)
    terminal:wait "interrupted!.*nnlua> $"
    terminal:enter("1 + 1", "\n2\n")
  end)

  it("keeps a wrapped line whole when the window gets another width", function()
    open {width = 60, height = 20}
    local text = "text = '" .. ("0123456789"):rep(9) .. "'"
    terminal:type(text)
    terminal:wait "789'$"
    for _, width in ipairs {40, 70, 33} do
      terminal:resize(width, 20)
      terminal:keys("Left", "Right")
      local joined
      Terminal.eventually(function()
        joined = (terminal:screen():match "(nnlua> .*)$" or ""):gsub("\n", "")
        return joined == "nnlua> " .. text
      end)
      assert.equal("nnlua> " .. text, joined)
    end
    terminal:keys "Enter"
    terminal:wait "nnlua> $"
    terminal:enter("#text", "90")
  end)

  it("knows the width of characters", function()
    open {width = 40}
    terminal:type "s = '日本語 🙂 e\u{301}'" -- the last one is an e with an accent that combines
    terminal:wait "e\u{301}'$"
    local column = 7 + 5 + 6 + 1 + 2 + 1 + 1 + 1
    cursor_comes_to(column)
    terminal:keys("Left", "Left")
    cursor_comes_to(column - 2)
    terminal:keys("BSpace", "BSpace", "C-e", "Enter")
    terminal:wait "nnlua> s = '日本語 e\u{301}'\nnnlua> $"
    terminal:enter("#s", "\n13\n")
    terminal:type "'日本語日本語日本語日本語日本語日本語日本語日本語'"
    terminal:wait "本語'$"
    terminal:keys "Enter"
    terminal:wait '\n"日本語日本語日本語日本語日本語日本語日\n?本語日本語"\nnnlua> $'
  end)

  it("edits what is longer than the screen", function()
    open {height = 10}
    local lines = {"t = {"}
    for i = 1, 30 do lines[#lines + 1] = ("  'line %d',"):format(i) end
    lines[#lines + 1] = "}"
    terminal:paste(table.concat(lines, "\n"))
    terminal:wait "'line 30',\n   ...> }$"
    for _ = 1, 31 do terminal:keys "Up" end
    terminal:wait "^nnlua> t = {"
    terminal:keys "Enter"
    terminal:wait "}\nnnlua> $"
    terminal:enter("#t, t[30]", '30%s+"line 30"')
  end)

  it("begins a line of its own after output that does not end one", function()
    open()
    terminal:enter("io.write 'no end';", "\nno end%%\n")
  end)

  it("keeps what is typed while something runs", function()
    open()
    local path = terminal.home .. "/go"
    terminal:submit(("print 'running' while not io.open('%s') do end"):format(path))
    terminal:wait "\nrunning$"
    terminal:type "1 + 2"
    terminal:keys "Enter"
    terminal:wait "1 %+ 2$"
    assert(io.open(path, "w")):close()
    terminal:wait "\n3\nnnlua> $"
  end)

  it("tells how long a line took, if it was long", function()
    local with_clock = "now = 0 require 'nnlua' require 'nnlua.system'.clock = function() return now end"
    open {arguments = {"-i", "-e", with_clock}, shows_times = true}
    terminal:enter "now = now + 0.0625"
    terminal:enter "now = now + 0.03125"
    terminal:enter("now", "\n0.09375\n")
    assert.matches("62.5 ms\nnnlua> now = now %+ 0.03125\nnnlua> now\n0.09375\nnnlua>$", terminal:screen())
  end)

  it("tells a name that was perhaps meant", function()
    open()
    terminal:enter("nl.onse", "\nnil\ndid you mean 'ones'%?\n")
    terminal:enter("pritn(1)", "did you mean 'print'%?")
  end)

  it("colours while typing, unless NO_COLOR says not to", function()
    open()
    terminal:type "local x = 'text'"
    terminal:wait "text'$"
    assert.matches("\27%[35m[^l]*local", terminal:screen(true))
    assert.matches("\27%[32m'text'", terminal:screen(true))
    terminal:close()
    open {env = {NO_COLOR = "1"}}
    terminal:type "local x = 'text'"
    terminal:wait "text'$"
    assert.not_matches("\27%[3[0-9]m", terminal:screen(true))
  end)

  it("clears the screen at Ctrl-L", function()
    open()
    terminal:type "abc"
    terminal:keys "C-l"
    terminal:wait "^nnlua> abc$"
  end)

  it("stops at Ctrl-Z and comes back", function()
    terminal = Terminal.start({"bash", "--norc", "-i"}, {env = {PS1 = "sh>"}})
    terminal:wait "sh>$"
    terminal:submit("'" .. process.nnlua .. "'")
    terminal:wait "nnlua> $"
    terminal:type "1 + 1"
    terminal:wait "1 %+ 1$"
    terminal:keys "C-z"
    terminal:wait "sh>$"
    terminal:submit "fg"
    terminal:wait "nnlua> 1 %+ 1$"
    terminal:keys "Enter"
    terminal:wait "\n2\nnnlua> $"
  end)

  it("works plainly on a terminal that can only print lines", function()
    open {env = {TERM = "dumb"}}
    terminal:enter("1 + 1", "\n2\n")
    assert.not_matches("\27", terminal:screen(true))
  end)

  it("leaves the terminal as it was, whatever ends it", function()
    for _, line in ipairs {"os.exit(3)", "quit", "os.exit(4, true)"} do
      terminal = Terminal.start {"sh", "-c", "stty -g; '" .. process.nnlua .. "'; echo code $?; stty -g"}
      terminal:wait "nnlua> $"
      terminal:submit(line)
      local screen = terminal:wait "code %d.*ended with 0"
      local before, after = screen:match "^(%x+:[%x:]+)\n.*code %d\n(%x+:[%x:]+)\n"
      assert.equal(before, after)
      terminal:close()
    end
    terminal = nil
  end)

  for _, path in ipairs {"README.md", "docs/prompt.md"} do
    it("does what " .. path .. " shows", function()
      local file = assert(io.open(path))
      local session = file:read("a"):match "\n```\n(nnlua> .-)\n```\n"
      file:close()
      open {width = 100, height = 80}
      for line in session:gmatch "[^\n]+" do
        local first, further = line:match "^%l+> (.*)$", line:match "^   %.%.%.>%s*(.*)$"
        if first or further then
          terminal:submit(first or further)
          terminal:wait "[.ag]>%s*$"
        end
      end
      shows(session .. "\nnnlua>")
    end)
  end

  it("runs ~/.config/nnlua/init.lua first, whose locals stay", function()
    local home = Terminal.new_home()
    finally(function() os.execute("rm -rf " .. home) end)
    os.execute("mkdir " .. home .. "/nnlua")
    local file = assert(io.open(home .. "/nnlua/init.lua", "w"))
    file:write "local mine = 42\nprint('from init')\n"
    file:close()
    open {home = home}
    terminal:enter("mine", "from init\n.*\n42\n")
  end)
end)
