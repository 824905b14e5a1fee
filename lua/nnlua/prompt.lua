-- The prompt: lines from the editor on a terminal, or as they come from elsewhere.

local _ENV = require "nnlua.prompt.environment"()

local Session = require "nnlua.prompt.session"
local commands = require "nnlua.prompt.commands"
local state_file = require "nnlua.state_file"

local prompt = {}

local PROMPT, DEBUG_PROMPT, CONTINUATION = "nnlua> ", "debug> ", "   ...> "
local LONGEST_INIT = 1 << 24 -- bytes

--- The prompt that the user has set in a global, or this one.
local function prompt_of(session, name, otherwise)
  local own = rawget(_G, name)
  if own == nil then return otherwise end
  local ok, text = session:call(tostring, own)
  return ok and text or otherwise
end

local function prompts(session, first, second)
  if session.debugging and first == PROMPT then return DEBUG_PROMPT, second end
  return prompt_of(session, "_PROMPT", first), prompt_of(session, "_PROMPT2", second)
end

-- ----------------------------------------------------------------- reading

local function read_line(opening)
  io.stdout:write(opening)
  io.stdout:flush()
  local line = io.stdin:read "L"
  return line and line:gsub("\r?\n$", "")
end

--- Lines that belong together, from what is no terminal that an editor could use. nil at the end.
local function read_plainly(session)
  local sits = session.interactive
  local first, second = prompts(session, sits and PROMPT or "", sits and CONTINUATION or "")
  local text = read_line(first)
  if not text then return nil end
  while not Session.is_complete(text) do
    local line = read_line(second)
    if not line then break end
    text = text .. "\n" .. line
  end
  return text
end

local function new_editor(session)
  local completion = require "nnlua.prompt.completion"
  completion.list_folder = session.host.list_folder
  return require "nnlua.prompt.editor".new {
    history = session.history,
    prompt = function() return prompts(session, PROMPT, CONTINUATION) end,
    is_complete = Session.is_complete,
    complete = function(text, cursor) return completion.complete(text, cursor, session.locals) end,
    hint = function(text, cursor) return completion.hint(text, cursor, session.locals) end,
    colours = session.colours,
  }
end

--- A function that shows a text: by pages if it is longer than the screen, and nothing has been typed meanwhile.
local function pager_of(session, editor)
  local pager = require "nnlua.prompt.pager"
  return function(text)
    if editor:is_fed() or not pager.is_long(text) then return session:print(text) end
    io.stdout:flush()
    editor:feed(pager.show(text, session.colours))
  end
end

--- A function that reads what is to be run next: nil at the end of input, false where there is nothing to run.
local function reader(session)
  if not session.interactive or session.host.is_plain() then
    return function() return read_plainly(session) end
  end
  session.history = require "nnlua.prompt.history".open()
  local editor = new_editor(session)
  session.pager = pager_of(session, editor)
  return function() return editor:read() end
end

-- ---------------------------------------------------------------- starting

local function predefine(session)
  local nl = require "nnlua"
  local names = {nl = nl, nn = nl.nn, F = nl.F, optim = nl.optim, help = nl.help}
  for name, value in pairs(names) do
    if rawget(_G, name) == nil then rawset(_G, name, value) end
  end
  if session.interactive then
    session:note "nl, nn, F, optim and help are defined; ?name explains, :help lists commands"
  end
end

--- Runs the user's ~/.config/nnlua/init.lua, if there is one.
local function run_init(session)
  local folder = os.getenv "XDG_CONFIG_HOME" or (os.getenv "HOME" or "") .. "/.config"
  local path = folder .. "/nnlua/init.lua"
  local text = state_file.read(path, LONGEST_INIT)
  if not text then return end
  session:run_file((text:gsub("^#[^\n]*", "", 1)), path)
end

--- A function that reads, runs and prints once, and returns whether to go on. `host` is what src/cli/repl.c gives.
function prompt.start(host)
  local session = Session.new(host, {interactive = host.interactive, colours = host.colours})
  predefine(session)
  session:begin()
  if host.interactive and not host.ignores_environment then run_init(session) end
  local read = reader(session)
  return function()
    local text = read()
    if text == nil and session.interactive and commands.leave_debugging(session) then
      return true
    elseif text == nil then
      if session.interactive then session:print "" end
      return false
    end
    if text then session:run(text) end
    return not session.over
  end
end

return prompt
