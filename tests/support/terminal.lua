-- Programs on a terminal of their own, a tmux pane: keys are sent, the screen is read.
local process = require "support.process"

local Terminal = {}
Terminal.__index = Terminal

local count = 0

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a tmux command of this terminal's server; its output.
local function tmux(self, ...)
  local words = {"env", "-u", "TMUX", "LC_ALL=C.UTF-8", "tmux", "-u", "-L", self.server, "-f", "/dev/null", ...}
  for i, word in ipairs(words) do words[i] = quote(word) end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1"))
  local output = pipe:read "a"
  local ok = pipe:close()
  return output, ok
end

local function new_folder()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkdir -p " .. quote(path)))
  return path
end

--- Starts a command, a list of words. Options: width, height, env (variables), home (a folder to live in, kept),
--- shows_times (the screen has the times that the prompt tells).
function Terminal.start(command, options)
  options = options or {}
  count = count + 1
  local self = setmetatable({home = options.home or new_folder(), keeps_home = options.home ~= nil,
    shows_times = options.shows_times}, Terminal)
  self.server = ("nnlua-%s-%d"):format(self.home:gsub("%W", ""), count)
  local words = {"env", "-u", "NO_COLOR", "TERM=screen-256color", "HOME=" .. self.home, "XDG_STATE_HOME=" .. self.home,
    "XDG_CONFIG_HOME=" .. self.home}
  -- A terminal that goes away while leaks are looked for, at the program's end, leaves that search waiting for ever.
  words[#words + 1] = "ASAN_OPTIONS=" .. (os.getenv "ASAN_OPTIONS" or "") .. ":detect_leaks=0"
  for name, value in pairs(options.env or {}) do words[#words + 1] = name .. "=" .. value end
  table.move(command, 1, #command, #words + 1, words)
  for i, word in ipairs(words) do words[i] = quote(word) end
  local output, ok = tmux(self, "new-session", "-d",
    "-x", tostring(options.width or 80), "-y", tostring(options.height or 24),
    table.concat(words, " ") .. "; echo ended with $?; sleep infinity") -- until the server is killed
  assert(ok, output)
  return self
end

--- Starts nnlua's prompt and waits for it.
function Terminal.prompt(options)
  local self = Terminal.start({process.nnlua, table.unpack(options and options.arguments or {})}, options)
  self:wait "nnlua> $"
  return self
end

--- The screen as a text: lines without the blanks at their ends, none at the end, and without those in which the prompt
--- tells how long something took, as it does of anything where the machine is busy; also without what the prompt
--- suggests in grey.
function Terminal:screen(with_colours)
  local text = tmux(self, "capture-pane", "-p", "-e")
  if not with_colours then
    text = text:gsub("\27%[38;5;244m[^\27]*", ""):gsub("\27%[90m[^\27]*", ""):gsub("\27%[[%d;]*m", "")
  end
  text = text:gsub("[ \t]+\n", "\n"):gsub("%s+$", "")
  if not self.shows_times then text = text:gsub("\n[%d.]+ m?s%f[\n\0]", "") end
  return text
end

--- Sends keys by tmux's names: "Up", "C-r", "Enter"; what is no name is typed.
function Terminal:keys(...)
  assert(select(2, tmux(self, "send-keys", ...)))
end

--- Types a text as it is.
function Terminal:type(text)
  assert(select(2, tmux(self, "send-keys", "-l", (text:gsub(";$", "\\;"))))) -- one at the end is tmux's own
end

--- Pastes a text, in brackets if the program asked for that.
function Terminal:paste(text)
  assert(select(2, tmux(self, "set-buffer", "--", text)))
  assert(select(2, tmux(self, "paste-buffer", "-p", "-r")))
end

local function read_all(pipe)
  local text = pipe:read "a"
  pipe:close()
  return text
end

--- Whether a process sleeps with no signal that it has not taken yet.
local function is_idle(id)
  local status = read_all(assert(io.open("/proc/" .. id .. "/status")))
  return status:find "State:%s+S" and status:find "SigPnd:%s+0+\n" and status:find "ShdPnd:%s+0+\n"
end

--- Gives the window another size, and waits until the program has taken note:
--- what is typed before that goes by the old.
function Terminal:resize(width, height)
  assert(select(2, tmux(self, "resize-window", "-x", tostring(width), "-y", tostring(height))))
  local tty, shell = tmux(self, "display-message", "-p", "#{pane_tty} #{pane_pid}"):match "(%S+) (%d+)"
  local children = ("/proc/%s/task/%s/children"):format(shell, shell)
  local is_noted = Terminal.eventually(function()
    local columns = read_all(io.popen("stty size <" .. tty)):match "^%d+ (%d+)"
    return tonumber(columns) == width and is_idle(read_all(assert(io.open(children))):match "%d+")
  end)
  if not is_noted then error("the program takes no note of the window's size", 2) end
end

--- The column and row of the cursor, from 0.
function Terminal:cursor()
  local x, y = tmux(self, "display-message", "-p", "#{cursor_x} #{cursor_y}"):match "(%d+) (%d+)"
  return tonumber(x), tonumber(y)
end

local function found(screen, pattern)
  -- A $ at the end means the end of what is shown, where a prompt's blank is cut off.
  return (screen:gsub("nnlua>$", "nnlua> "):gsub("%.%.%.>$", "...> ")):find(pattern)
end

local PATIENCE = tonumber(os.getenv "TERMINAL_SECONDS") or 180

--- Calls a function until it gives something, for some minutes at most; returns that or false.
function Terminal.eventually(check)
  local deadline = os.time() + PATIENCE
  repeat
    local result = check()
    if result then return result end
    os.execute "sleep 0.02"
  until os.time() > deadline
  return false
end

--- Waits until the screen shows a pattern; returns the screen.
function Terminal:wait(pattern)
  local screen
  local shown = Terminal.eventually(function()
    screen = self:screen()
    return found(screen, pattern)
  end)
  if shown then return screen end
  error(("the screen does not show %q but\n%s"):format(pattern, screen), 2)
end

--- Types a line at a prompt and presses Enter once the line is shown,
--- so that what is waited for then comes of this line.
function Terminal:submit(line)
  self:type(line)
  local wanted, screen = line:gsub("%s", ""), nil
  local shown = Terminal.eventually(function()
    screen = self:screen()
    return screen:gsub("%s", ""):sub(-#wanted) == wanted
  end)
  if not shown then error(("the line %q does not show on\n%s"):format(line, screen), 2) end
  self:keys "Enter"
end

--- Types a line, presses Enter, and waits for a pattern and the prompt after it.
function Terminal:enter(line, pattern)
  self:submit(line)
  return self:wait((pattern or "") .. ".*nnlua> $")
end

function Terminal:close()
  tmux(self, "kill-server")
  if self.keeps_home then return end
  local remove = "rm -rf " .. quote(self.home) .. " 2>/dev/null"
  Terminal.eventually(function() return os.execute(remove) end) -- the program may write its history yet
end

--- A folder to live in for several terminals, one after the other.
Terminal.new_home = new_folder

return Terminal
