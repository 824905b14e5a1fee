-- The prompt's commands for looking around where an error came up. What is entered meanwhile sees the variables of the
-- call that one is in.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local source = require "nnlua.prompt.source"
local terminal_text = require "nnlua.utils.terminal_text"
local variables = require "nnlua.prompt.commands.variables"

local debugging = {}

local AROUND = 2 -- lines of code before and after the one that a call is at

local function line_of(session, where, number)
  return session.entries:line(where, number) or source.line(where, number)
end

--- A line of code as far as the terminal is wide.
local function within(session, line)
  return session.interactive and terminal_text.cut(line, session:width()) or line
end

local function frame_text(place, frame)
  return ("%d  %s:%d: in %s"):format(place, frame.where, frame.line, frame.what)
end

--- The lines of code around the one that a call is at, which an arrow marks.
local function code_of(session, frame)
  local lines = {}
  for number = math.max(1, frame.line - AROUND), frame.line + AROUND do
    local line = line_of(session, frame.where, number)
    local mark = number == frame.line and ">" or " "
    if line then lines[#lines + 1] = within(session, ("%s %4d  %s"):format(mark, number, line)) end
  end
  return lines
end

--- The session's variables, and those of a call in front of them.
local function variables_in(session, frame)
  local all = chunk.new_locals()
  for name, variable in pairs(session.debugging.outside) do all[name] = variable end
  for name, variable in pairs(frame.variables) do all[name] = variable end
  return all
end

--- Goes to a call, and shows where it is and its variables.
local function go(session, place)
  local frame = session.frames[place]
  session.debugging.place = place
  session:use_locals(variables_in(session, frame))
  local lines = {frame_text(place, frame)}
  for _, line in ipairs(code_of(session, frame)) do lines[#lines + 1] = line end
  local ok, rows = session:call(variables.lines, frame.variables, nil, session:width())
  for _, line in ipairs(ok and rows or {}) do lines[#lines + 1] = line end
  session:show(table.concat(lines, "\n"))
end

--- Leaves the debugger; whether it was on.
function debugging.leave(session)
  if not session.debugging then return false end
  session:use_locals(session.debugging.outside)
  session.debugging = nil
  return true
end

local function start(session)
  if not session.frames or #session.frames == 0 then
    return session:report "there is no error to look into: :debug is for after one"
  end
  if not session.debugging then session.debugging = {outside = session.locals} end
  session:report(session.problem:match "^[^\n]*")
  session:note ":up and :down go along the calls, :frames lists them, :quit or Ctrl-D leaves"
  go(session, 1)
end

--- A command that goes outwards (1) or inwards (-1): so many calls as are named, at most to the last one, or one.
local function going(direction)
  return function(session, count)
    if not session.debugging then return session:report ":up and :down are for :debug, after an error" end
    local calls = count == "" and 1 or math.tointeger(tonumber(count))
    if not calls or calls < 1 then return session:report ":up and :down take how many calls to go" end
    local here = session.debugging.place
    local place = math.max(1, math.min(#session.frames, here + direction * math.min(calls, #session.frames)))
    if place == here then
      return session:note(direction > 0 and "this is the outermost call" or "this is the innermost call")
    end
    go(session, place)
  end
end

local function list_frames(session)
  if not session.frames then return session:report "there is no error to look into" end
  local lines, here = {}, session.debugging and session.debugging.place
  for place, frame in ipairs(session.frames) do
    lines[#lines + 1] = (place == here and "> " or "  ") .. frame_text(place, frame)
    local code = line_of(session, frame.where, frame.line)
    if code then lines[#lines + 1] = within(session, "       " .. code:match "^%s*(.*)$") end
  end
  session:show(table.concat(lines, "\n"))
end

--- Adds the commands.
function debugging.add_to(command)
  command("debug", ":debug", "after an error: looks around in the calls that were going on", start)
  command("up", ":up number", "in :debug: goes to the call outside of this one, or so many", going(1))
  command("down", ":down number", "in :debug: goes to the call inside of this one, or so many", going(-1))
  command("frames", ":frames", "in :debug: lists the calls", list_frames)
end

return debugging
