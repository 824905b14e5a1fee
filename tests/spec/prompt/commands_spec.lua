-- The prompt's commands, where no one sits, and on a terminal where that matters.
-- parts: 2
local Terminal = require "support.terminal"
local process = require "support.process"

--- What the prompt prints for these lines, and its errors. Options: those of support.process.
local function answers(lines, options)
  options = options or {}
  options.stdin = lines
  local result = process.run_nnlua({"-i"}, options)
  assert.equal(0, result.code)
  return result.stdout, result.stderr
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

local function new_folder()
  local path = Terminal.new_home()
  finally(function() os.execute("rm -rf " .. path) end)
  return path
end

describe("the prompt's commands", function()
  it("list the variables with types, shapes and sizes", function()
    assert.equal([[
name  type            shape          size
n     integer         5
s     string          "two\nlines"   9 bytes
t     table           2 entries
x     float32 tensor  2x3            24 bytes
net   Linear          16 parameters  64 bytes
z     float64 tensor  ()             8 bytes
]], (answers [[
local x, n, s, t = nl.zeros(2, 3), 5, "two\nlines", {1, a = 2}
z, net = nl.zeros({}, {dtype = nl.float64}), nn.Linear(3, 4)
:locals
]]))
    assert.equal("there are no variables yet\n", (answers ":locals\n"))
  end)

  it("run a shell's command, and tell how it failed", function()
    assert.equal("hello\nexit status 3\nended by signal 9\n", (answers "!echo hello\n!exit 3\n!kill -9 $$\n"))
  end)

  it("go to a folder and back", function()
    local folder = new_folder()
    local lines = (":cd /\n:cd FOLDER\n!pwd\n:cd -\n:cd ~\n:cd\n:cd nowhere_at_all\n"):gsub("FOLDER", folder)
    local output, errors = answers(lines, {env = {HOME = folder}})
    assert.equal(("/\nFOLDER\nFOLDER\n/\nFOLDER\nFOLDER\n"):gsub("FOLDER", folder), output)
    assert.equal("nowhere_at_all: No such file or directory\n", errors)
    assert.matches("no folder to go back to", select(2, answers ":cd -\n"), 1, true)
  end)

  it("list what was entered, by numbers that errors have, too", function()
    local output, errors = answers [[
x = 1
for i = 1, 2 do
x = x + i
end
error 'no'
:history
:history x +
:history zz
]]
    assert.equal("    1  x = 1\n    2  for i = 1, 2 do\n       x = x + i\n       end\n    3  error 'no'\n" ..
      "    4  :history\n" ..
      "    -  for i = 1, 2 do\n       x = x + i\n       end\nno entry has that in it\n", output)
    assert.equal("entry 3:1: no\n", errors)
  end)

  it("write entries to a file, which is one of Lua", function()
    local folder = new_folder()
    local output, errors = answers(([[
x = 5
error "no"
x
local function f() return x end
?sum
:save FOLDER/all.lua
:save FOLDER/some.lua 4 1-1
:save FOLDER/all.lua
:save FOLDER/none.lua 1-99
:save
]]):gsub("FOLDER", folder), nil)
    assert.matches("\n2 entries are in " .. folder .. "/all.lua; expressions, commands and what failed are left out\n",
      output)
    local file <close> = assert(io.open(folder .. "/all.lua"))
    assert.equal("x = 5\nlocal function f() return x end\n", file:read "a")
    local some <close> = assert(io.open(folder .. "/some.lua"))
    assert.equal("local function f() return x end\nx = 5\n", some:read "a")
    assert.matches("there is a file .- already", errors)
    assert.matches("numbers of entries, 1 to 9", errors, 1, true)
    assert.matches(":save needs the name", errors, 1, true)
  end)

  it("open an entry in an editor, and run what it has become", function()
    local folder = new_folder()
    write(folder .. "/editor", "#!/bin/sh\nsed -i s/1/40/ \"$1\"\n")
    os.execute("chmod +x " .. folder .. "/editor")
    local env = {EDITOR = folder .. "/editor", VISUAL = ""}
    assert.equal("3\nnnlua> x = 40 + 2\n42\n", (answers("x = 1 + 2\nx\n:edit 1\nx\n", {env = env})))
    assert.equal("1\nnnlua> 40\n40\n", (answers("1\n:edit\n", {env = env})))
    local _, errors = answers(":edit 7\n1\n:edit\n", {env = {EDITOR = "/no/such/editor", VISUAL = ""}})
    assert.matches("there is no entry 7", errors, 1, true)
    assert.matches("the editor has failed", errors, 1, true)
  end)

  it("tell what they lack", function()
    local _, errors = answers ":debug\n:up\n:frames\n:nothing\n!\n"
    assert.matches("no error to look into", errors, 1, true)
    assert.matches(":up and :down are for :debug", errors, 1, true)
    assert.matches(":nothing is not a command", errors, 1, true)
    assert.matches("! needs a shell's command", errors, 1, true)
  end)
end)

describe(":reload", function()
  local function reloading(before, after, lines)
    local folder = new_folder()
    write(folder .. "/mine.lua", before)
    write(folder .. "/next.lua", after)
    local env = {LUA_PATH = folder .. "/?.lua;;"}
    return answers((lines:gsub("CHANGE", "!cp %0/next.lua %0/mine.lua"):gsub("CHANGE", folder)), {env = env})
  end

  it("gives old names what is new, and keeps tables, tensors and networks", function()
    local output = reloading([[
local M = {rate = 1, seen = {}, weight = require "nnlua".ones(2)}
local count = {n = 0}
local function step() return "old" end
function M.run() count.n = count.n + 1 return step(), M.rate, count.n, M.weight:sum():item() end
function M.gone() end
return M
]], [[
local M = {rate = 2, seen = {}, weight = require "nnlua".zeros(2), extra = 7}
local count = {}
local function step() return "new" end
function M.run() count.n = count.n + 1 return step(), M.rate, count.n, M.weight:sum():item() end
return M
]], [[
m = require "mine"
local run = m.run
m.seen[1] = "kept"
run()
CHANGE
:reload
m.run()
m.seen, m.extra, m.gone, m == require "mine"
:reload
]])
    assert.equal('"old"\t1\t1\t2.0\nreloaded mine\n"new"\t2\t2\t2.0\n{"kept"}\n7\nnil\ntrue\n' ..
      "no module's file has changed\n",
      (output:gsub('{"kept"}\t7\tnil\ttrue', '{"kept"}\n7\nnil\ntrue')))
  end)

  it("changes the classes of networks that are there", function()
    local class = [[
local nn = require "nnlua".nn
local Net = nn.class("Net")
function Net:init() self.fc = nn.Linear(2, 2) end
function Net:forward(x) return Net.name_of(self) .. %q end
function Net:name_of() return "net " end
return Net
]]
    local output = reloading(class:format "old", class:format "new", [[
net = require("mine")()
weight = net.fc.weight
net(1)
CHANGE
:reload
net(1)
weight == net.fc.weight, require("mine")()(1)
]])
    assert.equal('"net old"\nreloaded mine\n"net new"\ntrue\t"net new"\n', output)
  end)

  it("keeps the old module where the new one fails", function()
    local output, errors = reloading("return {f = function() return 1 end}", "return {f = ", [[
m = require "mine"
CHANGE
:reload
m.f()
]])
    assert.equal("1\n", output)
    assert.matches("^[^\n]*/mine.lua:1: unexpected symbol near <eof>\n    return {f =\n$", errors)
    assert.not_matches("nnlua/prompt", errors, 1, true)
  end)
end)

describe(":debug", function()
  it("looks around in the calls that were going on", function()
    local output, errors = answers [[
local scale = 10
function inner(x) local y = x * scale; return math.w.z + y end
function outer(n) local sum = n + 1; return 1 + inner(sum) end
outer(1)
:debug
y, x, scale
:up
sum, n
:up
:up
:frames
:down
x = 3; x
local more = 5
more
:quit
more, sum, scale
]]
    assert.matches("1  entry 2:1: in function 'inner'\n>    1  function inner", output, 1, true)
    local rows = "\nname   type     shape  size\nscale  integer  10\nx      integer  2\ny      integer  20\n"
    assert.matches(rows .. "20\t2\t10\n", output, 1, true)
    assert.matches("2  entry 3:1: in function 'outer'\n", output, 1, true)
    assert.matches("\n2\t1\n3  entry 4:1: in main chunk\n", output, 1, true)
    assert.matches("this is the outermost call\n", output, 1, true)
    assert.matches("\n  2  entry 3:1: in function 'outer'\n       function outer(n)", output, 1, true)
    assert.matches("> 3  entry 4:1", output, 1, true)
    assert.matches("\n3\n5\nnil\tnil\t10\n$", output)
    assert.matches("attempt to index a nil value (field 'w')", errors, 1, true)
  end)

  it("goes several calls at once", function()
    local output, errors = answers [[
function deep(n) if n == 0 then error "here" end deep(n - 1) return n end
deep(5)
:debug
:up 3
n
:down 2
n
:up 99
:down 1000000000000
:up x
]]
    assert.matches("\n3\n2  entry 1:1", output, 1, true)
    assert.matches("\n1\n7  entry 2:1: in main chunk\n", output, 1, true)
    assert.matches(":up and :down take how many calls to go\n$", errors)
  end)

  it("shows the shapes of tensors, and code of files", function()
    local path = process.file [[
local nl = ...
local w = nl.zeros(5, 7)
local function f(x)
  return x:mm(w)
end
f(nl.ones(2, 3))
]]
    finally(function() os.remove(path) end)
    local output = answers(("assert(loadfile %q)(nl)\n:debug\n"):format(path))
    assert.matches(">    4    return x:mm(w)\n     5  end\n", output, 1, true)
    assert.matches("w     float32 tensor  5x7    140 bytes\nx     float32 tensor  2x3    24 bytes\n", output, 1, true)
  end)

  it("changes the variables that functions have from outside", function()
    assert.matches("\n7\n$", (answers [[
local state = 1
function f() state = state + 1; error(state) end
f()
:debug
state = 7
:quit
state
]]))
  end)

  it("keeps nothing after :forget", function()
    assert.matches("^true\n.*false\n$", (answers [[
weak = setmetatable({}, {__mode = "v"})
function f() local big = {}; weak[1] = big; error "x" end
f()
collectgarbage() return weak[1] ~= nil
:forget
collectgarbage() return weak[1] ~= nil
]]))
  end)
end)

describe("the prompt's commands on a terminal", function()
  local terminal

  after_each(function()
    if terminal then terminal:close() end
    terminal = nil
  end)

  it("debug under a prompt of their own, which Ctrl-D leaves", function()
    terminal = Terminal.prompt()
    terminal:enter("function f(x) return x.y.z end", "")
    terminal:enter("f({})", "entry 1:1: attempt to index a nil value")
    terminal:submit ":debug"
    terminal:wait "in function 'f'.*debug>$"
    terminal:submit "type(x)"
    terminal:wait '\n"table"\ndebug>$'
    terminal:keys "C-d"
    terminal:wait "debug>\nnnlua> $"
    terminal:keys "C-d"
    terminal:wait "ended with 0"
  end)

  it("show by pages what is longer than the screen", function()
    terminal = Terminal.prompt {height = 10}
    terminal:enter("t = {} for i = 1, 30 do t[i] = ('entry'):rep(10) .. i end", "")
    terminal:submit "t"
    terminal:wait "\n  \"entry[^\n]*8\",\n%-%- 9 of 32 lines; space, Enter, G: page, line, all; /, n, N: search; q: end"
    terminal:keys "Space"
    terminal:wait "entry17\",\n%-%- 18 of 32 lines"
    terminal:keys "Enter"
    terminal:wait "entry18\",\n%-%- 19 of 32 lines"
    terminal:keys "q"
    terminal:wait "entry18\",\nnnlua> $"
    terminal:submit "t"
    terminal:wait "%-%- 9 of"
    terminal:type "1 + 1" -- goes to the prompt
    terminal:wait "\nnnlua> 1 %+ 1$"
    terminal:keys "Enter"
    terminal:enter(":set pager 0", "")
    terminal:enter("t", "entry30\",\n}\n")
  end)

  it("look for a text in what is shown by pages", function()
    terminal = Terminal.prompt {height = 10}
    terminal:enter("t = {} for i = 1, 48 do t[i] = ('Entry'):rep(10) .. i end", "")
    terminal:submit "t"
    terminal:wait "%-%- 9 of 50 lines"
    terminal:type "/y2"
    terminal:wait "\n/y2$"
    terminal:keys "Enter"
    terminal:wait "\n  \"Entry[^\n]*y10\",\n%-%- 11 of 50"
    terminal:keys "n"
    terminal:wait "^  \"[^\n]*y20\",\n.*y28\",\n%-%- 29 of 50"
    assert.matches("Entr\27%[7my2", (terminal:screen(true):gsub("\27%[39m", "")))
    terminal:keys "N"
    terminal:wait "%-%- 11 of 50"
    terminal:type "/y47"
    terminal:keys "Enter"
    terminal:wait "y48\",\n}\n%-%- 50 of 50" -- from the end there is a way back
    terminal:type "/Y"
    terminal:keys "Enter"
    terminal:wait "\n%-%- not found: Y;"
    terminal:keys "q"
    terminal:wait "y48\",\n}\nnnlua> $"
    terminal:submit "t"
    terminal:wait "%-%- 9 of"
    terminal:type "nl" -- who has looked for nothing types for the prompt
    terminal:wait "\nnnlua> nl$"
  end)

  it("look in pages for the first line of what is pasted, as far as it fits", function()
    terminal = Terminal.prompt {height = 10, width = 40}
    terminal:enter("t = {} for i = 1, 48 do t[i] = ('Entry'):rep(4) .. i end t[49] = ('ab'):rep(40000)", "")
    terminal:submit "t"
    terminal:wait "%-%- 9/"
    terminal:type "/"
    terminal:wait "\n/$"
    terminal:paste "y2\ny3"
    terminal:wait "\n/y2$"
    terminal:keys "BSpace"
    terminal:wait "\n/y$"
    terminal:paste(("\u{4E2D}"):rep(30)) -- each of two columns
    terminal:wait("\n/y" .. ("\u{4E2D}"):rep(18) .. "$")
    terminal:keys "Enter"
    terminal:wait "not found"
    terminal:keys "q"
    terminal:wait "\nnnlua> $"
  end)

  it("let Ctrl-C end a shell's command", function()
    terminal = Terminal.prompt()
    terminal:submit "!echo running; sleep 1000"
    terminal:wait "\nrunning$"
    terminal:keys "C-c"
    terminal:wait "\nnnlua> $"
    terminal:enter("1 + 1", "\n2\n")
  end)

  it("fit any width", function()
    for _, width in ipairs {40, 160} do
      terminal = Terminal.prompt {width = width, height = 40}
      terminal:enter("nl.zeros(2, 20)", "float32%]\n")
      local widest = 0
      for line in terminal:screen():match "20%)\n(.*)$":gmatch "[^\n]+" do widest = math.max(widest, #line) end
      assert.is_true(widest <= width and widest > (width == 40 and 30 or 80), widest)
      terminal:enter("a_long_name_of_a_variable, another_one = ('x'):rep(300), 1", "")
      terminal:keys "C-l"
      terminal:enter(":locals", "\nan[^ ]* +integer")
      for line in terminal:screen():gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= width) end
      terminal:close()
    end
    terminal = nil
  end)
end)
