-- What the line editor makes of signals, and of files and input that are not as they should be.
-- parts: 1
local Terminal = require "support.terminal"
local process = require "support.process"

local terminal

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

--- Sends a signal to the terminal's nnlua, which has written its number to a file.
local function send(signal)
  local file = assert(io.open(terminal.home .. "/pid"))
  local id = file:read "n"
  file:close()
  assert(os.execute(("kill -%s %d"):format(signal, id)))
end

--- A shell's command that runs nnlua as the process whose number is written to a file.
local command = ([[sh -c 'echo $$ > "$HOME/pid"; exec "$0" 2>&1' '%s']]):format(process.nnlua)

describe("the line editor", function()
  after_each(function()
    if terminal then terminal:close() end
    terminal = nil
  end)

  local numbers = {TERM = 15, HUP = 1, QUIT = 3, ABRT = 6}
  for name, number in pairs(numbers) do
    it("leaves the terminal as it was, and ends of the signal, at SIG" .. name, function()
      terminal = Terminal.start {"bash", "-c", "stty -g; " .. command .. "; echo code $?; stty -g"}
      terminal:wait "nnlua> $"
      terminal:type "abc"
      terminal:wait "abc$"
      send(name)
      local screen = terminal:wait "code %d+.*ended with 0"
      assert.equal(128 + number, tonumber(screen:match "code (%d+)"))
      local before, after = screen:match "^(%x+:[%x:]+)\n.*code %d+\n(%x+:[%x:]+)\n"
      assert.equal(before, after)
    end)
  end

  for _, name in ipairs {"STOP", "TSTP"} do
    it("edits on after a SIG" .. name .. " from outside", function()
      terminal = Terminal.start({"bash", "--norc", "-i"}, {env = {PS1 = "sh>"}})
      terminal:wait "sh>$"
      terminal:submit(command)
      terminal:wait "nnlua> $"
      terminal:type "1 + 2"
      terminal:wait "1 %+ 2$"
      send(name)
      terminal:wait "Stopped"
      terminal:submit "fg"
      terminal:wait "\nnnlua> 1 %+ 2$"
      terminal:keys("Left", "3", "Enter")
      terminal:wait "\n33\nnnlua> $"
    end)
  end

  it("starts where the history is a folder", function()
    local home = Terminal.new_home()
    finally(function() os.execute("rm -rf " .. home) end)
    assert(os.execute("mkdir -p " .. home .. "/nnlua/history"))
    terminal = Terminal.prompt {home = home}
    terminal:enter("1 + 1", "\n2\n")
    terminal:keys "Up"
    terminal:wait "2\nnnlua> 1 %+ 1$"
  end)

  it("completes names of files that are no UTF-8, and not those with control characters", function()
    terminal = Terminal.prompt()
    local home = terminal.home
    write(home .. "/odd\xFFone", "")
    write(home .. "/even\27[31mred", "")
    write(home .. "/evening", "")
    terminal:type("#'" .. home .. "/od")
    terminal:keys "Tab"
    terminal:wait "/odd$"
    terminal:submit "'"
    terminal:wait(("\n%d\nnnlua> $"):format(#home + 4))
    terminal:type("#'" .. home .. "/ev")
    terminal:keys "Tab"
    terminal:submit "'"
    terminal:wait(("/evening'\n%d\nnnlua> $"):format(#home + 8))
  end)

  it("takes a prompt of the user's that is no UTF-8", function()
    terminal = Terminal.prompt()
    terminal:submit "_PROMPT = '\\xFF> '"
    terminal:wait "'\n[^\n]*>$"
    terminal:submit "1 + 1"
    terminal:wait "\n2\n[^\n]*>$"
  end)

  it("gives up a paste without an end at Ctrl-C", function()
    terminal = Terminal.prompt()
    terminal:keys("-H", "1b", "5b", "32", "30", "30", "7e")
    terminal:type "lost"
    terminal:keys "C-c" -- as the last that comes for a moment
    terminal:wait "%^C\nnnlua> $"
    terminal:enter("1 + 1", "\n2\n")
  end)
end)
