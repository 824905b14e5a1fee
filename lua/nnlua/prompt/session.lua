-- What the prompt does with a line: run it, print its values, keep its local variables, tell its errors.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local commands = require "nnlua.prompt.commands"
local entries = require "nnlua.prompt.entries"
local errors = require "nnlua.prompt.errors"
local frames = require "nnlua.prompt.frames"
local hints = require "nnlua.prompt.hints"
local modules = require "nnlua.prompt.modules"
local pretty = require "nnlua.prompt.pretty"
local source = require "nnlua.prompt.source"
local system = require "nnlua.system"
local tokens = require "nnlua.prompt.tokens"

local Session = {}
Session.__index = Session

local clock = system.clock
local pack, unpack, concat = table.pack, table.unpack, table.concat
local stdout, stderr = io.stdout, io.stderr

local SLOW = 0.05 -- seconds from which on a line's time is told
local LAST_RESULTS = 9
local LONGEST_STRING = 100000 -- bytes

--- A session. `host.call(failing, f, …)` runs a function under the interpreter's protection: Ctrl-C raises in it, an
--- error comes back as false and a text with a traceback, after `failing` was called on top of its stack.
--- Options: interactive (someone sits there), colours. `pager`, if it is set, shows a text that is longer than the
--- screen; `history` has what was entered in earlier sessions, too.
function Session.new(host, options)
  local session = setmetatable({
    host = host, interactive = options.interactive, colours = options.colours, entries = entries.new(), depth = 4,
    items = 50, pages = true, globals = {}, modules = {},
  }, Session)
  session:use_locals(chunk.new_locals())
  return session
end

--- The variables that what is entered sees from now on; returns those before.
function Session:use_locals(locals)
  local before = self.locals
  self.locals, hints.locals = locals, locals
  return before
end

-- ----------------------------------------------------------------- output

local function coloured(session, code, text)
  return session.colours and ("\27[%sm%s\27[0m"):format(code, text) or text
end

--- Prints a line.
function Session:print(text)
  stdout:write(text, "\n")
  stdout:flush()
end

--- Prints a remark of the prompt's own, dimly; what is wider than the terminal is broken between words.
function Session:note(text)
  if self.interactive and #text > self:width() and not text:find "\n" then
    text = require "nnlua.help.text".wrapped(text, "")
  end
  self:print(coloured(self, "2", text))
end

--- Prints a text; what is longer than the screen a page at a time.
function Session:show(text)
  if self.pager and self.pages then self.pager(text) else self:print(text) end
end

--- The columns that are there for a line.
function Session:width()
  return self.interactive and system.terminal_width(1) or 80
end

--- Prints an error: its first line stands out.
function Session:report(message)
  stdout:flush()
  local follows_echo = self.interactive and message:find "interrupted!" -- the terminal has shown ^C on this line
  stderr:write(follows_echo and "\n" or "", errors.text(message, self.entries, self.colours), "\n")
  stderr:flush()
end

local function print_values(session, values)
  local texts, many_lines = {}, false
  local options = {width = session:width(), depth = session.depth, items = session.items, colours = session.colours,
    footers = session.interactive, longest = LONGEST_STRING}
  for i = 1, values.n do
    texts[i] = pretty.text(values[i], options)
    many_lines = many_lines or texts[i]:find "\n" ~= nil
  end
  local text = concat(texts, many_lines and "\n" or "\t")
  if values.n == 1 and pretty.draws(values[1]) then session:print(text) else session:show(text) end
end

--- Values stay at hand until the next ones come, and no longer: they may be large.
local function remember(session, values)
  local locals = session.locals
  for i = 1, LAST_RESULTS do locals["_" .. i] = nil end
  for i = 1, math.min(values.n, LAST_RESULTS) do chunk.set(locals, "_" .. i, values[i]) end
  chunk.set(locals, "_", values[1])
end

-- -------------------------------------------------------------- evaluating

--- Whether a text ends with a semicolon, which keeps its values from being printed.
local function is_silent(text)
  local list = tokens.of(text)
  while list[#list] and list[#list].kind == "comment" do list[#list] = nil end
  return #list > 0 and list[#list].text == ";"
end

local function show(session, text, values)
  if values.n == 0 then return end
  remember(session, values)
  if is_silent(text) then return end
  local ok, message = session:call(print_values, session, values)
  if not ok then session:report(message) end
  local hint = values.n == 1 and values[1] == nil and hints.of_nil(text)
  if hint and session.interactive then session:note(pretty.visible(hint)) end
end

--- Runs a function under the interpreter's protection.
function Session:call(func, ...)
  return self.host.call(nil, func, ...)
end

--- Runs what chunk.load gives: true and its values, or false and an error. Local variables stay, also those that were
--- there when an error came up; the frames of that are kept for :debug.
local function call_chunk(session, func, declared)
  local stack
  local values = pack(session.host.call(function()
    chunk.rescue(session.locals, func, declared)
    stack = frames.on_stack()
  end, func))
  if not values[1] and not session.debugging then session.frames, session.problem = stack, values[2] end
  return values
end

--- Reports an error of the newest entry; false.
function Session:fail(message)
  self.entries.failed[self.entries.count] = true
  self:report(message)
  return false
end

--- Runs a text: prints its values, or its error. True if it ran through.
function Session:evaluate(text, options)
  local func, declared = chunk.load(text, self.locals, self.entries:chunk_name())
  if not func then return self:fail(declared) end
  if self.interactive then system.set_line_width(self:width()) end
  local started = clock()
  local values = call_chunk(self, func, declared)
  local seconds = clock() - started
  if not values[1] then return self:fail(values[2]) end
  show(self, text, {n = values.n - 1, unpack(values, 2, values.n)})
  if self.interactive and seconds > SLOW and not (options and options.times == false) then
    self:note(commands.time_text(seconds))
  end
  return true
end

--- Runs a file's text under its own name.
function Session:run_file(text, path)
  local func, declared = chunk.load(text, self.locals, "@" .. path)
  if not func then return self:fail(declared) end
  local values = call_chunk(self, func, declared)
  if not values[1] then self:fail(values[2]) end
end

-- ------------------------------------------------------------------- lines

--- The value of an expression; nil and the error's text if it has none.
local function value_of(session, expression)
  local func, message = chunk.load("return " .. expression, session.locals, session.entries:chunk_name())
  if not func then return nil, message end
  local ok, value = session:call(func)
  if ok then return value end
  return nil, value
end

--- Shows the help of a name or, if nothing is known by that name, of the value of an expression.
function Session:help(what)
  local help = require "nnlua.help"
  local text = help.find(what)
  if not text and what:find "^[%a_][%w_.:%[%]\"']*$" then
    local value = value_of(self, what)
    text = value ~= nil and help.text(value)
  end
  self:show(text or help.text(what))
end

--- Shows the Lua source of the function that an expression gives.
function Session:show_source(expression)
  local value, message = value_of(self, expression)
  if message then return self:report(message) end
  local text, problem = source.of(value)
  if text then self:show(text) else self:report(problem) end
end

local function is_taken(session, name)
  return session.locals[name] ~= nil or rawget(_G, name) ~= nil
end

--- What a line says that is not Lua: true if it was one of these.
local function is_special(session, text)
  local bare = text:match "^%s*(.*%S)" or ""
  local doubly, name = bare:match "^([%w_.:]+)%?%?$", bare:match "^%?%s*(.+)$" or bare:match "^([%w_.:]+)%?$"
  if bare:find "^:%a" or bare == ":" then commands.run(session, bare)
  elseif bare:find "^!" then commands.run_shell(session, bare:sub(2))
  elseif bare:find "^%?%?%s*%S" or doubly then session:show_source(doubly or bare:match "^%?%?%s*(.+)$")
  elseif name then session:help(name)
  elseif bare == "?" or bare == "help" and session.interactive then session:show(require "nnlua.help".text())
  elseif (bare == "exit" or bare == "quit") and not is_taken(session, bare) then commands.run(session, ":quit")
  else return false end
  return true
end

--- Does what a line, or several that belong together, says. `session.over` is true after it asked for the end.
function Session:run(text)
  if not text:find "%S" then return end
  self.entries:add(text)
  if not is_special(self, text) then self:evaluate((text:gsub("^%s*=", "return ", 1))) end
  modules.note(self.modules)
end

--- Takes what there is as what was there before the first entry.
function Session:begin()
  for name in next, _G do self.globals[name] = true end
  modules.note(self.modules)
end

--- Shows a text as if it had been entered.
function Session:echo(text)
  self:note((("nnlua> " .. text):gsub("\n", "\n   ...> ")))
end

--- Whether Enter may run a text.
function Session.is_complete(text)
  return text:find "^%s*[:?=!]" ~= nil or text:find "^[%w_.:]+%?%??%s*$" ~= nil or chunk.is_complete(text)
end

return Session
