-- Bytes in memory that are read and written as a file is.

local class = require "nnlua.class"
local core = require "nnlua.nn.core"

local MOST_ZEROS = 0x7FFFFFFF -- that Lua's string.rep gives

--- Bytes in memory with an open file's methods, as Python's io.BytesIO: nl.save writes to it, nl.load reads from it.
---     > buffer = nl.io.BytesIO()
---     > nl.save(buffer, {w = nl.ones(2)})
---     > buffer:seek(0)
---     0
---     > nl.load(buffer).w
---     tensor([1., 1.])
---@class BytesIO
local BytesIO = class.new "io.BytesIO"

function BytesIO:init(bytes)
  if bytes ~= nil and type(bytes) ~= "string" then
    core.raise(("BytesIO: a string expected, got %s"):format(core.describe(bytes)))
  end
  self.bytes, self.at = bytes or "", 0
end

--- All bytes, as a string.
---     > nl.io.BytesIO("abc"):getvalue()
---     abc
---@return string
function BytesIO:getvalue()
  return self.bytes
end

--- Puts a string where the buffer stands, over what is there, and gives the buffer.
---     > nl.io.BytesIO():write("ab"):write("c"):getvalue()
---     abc
---@param text string
---@return BytesIO
function BytesIO:write(text)
  if type(text) ~= "string" then
    core.raise(("BytesIO:write: a string expected, got %s"):format(core.describe(text)))
  end
  local gap = self.at - #self.bytes
  if gap > MOST_ZEROS then
    core.raise(("BytesIO:write: the buffer stands %d bytes behind its end, too many to fill with zeros"):format(gap))
  end
  local before, after = self.bytes:sub(1, self.at), self.bytes:sub(self.at + #text + 1)
  self.bytes = before .. ("\0"):rep(self.at - #before) .. text .. after
  self.at = self.at + #text
  return self
end

--- The next n bytes, or all that are left.
---     > nl.io.BytesIO("abc"):read(2)
---     ab
---@param n? integer|string
---@return string
function BytesIO:read(n)
  local left = math.max(#self.bytes - self.at, 0)
  local count = math.type(n) == "integer" and n >= 0 and math.min(n, left) or left
  local text = self.bytes:sub(self.at + 1, self.at + count)
  self.at = self.at + #text
  return text
end

--- Goes to a place, counted from 0, or as `file:seek(whence, offset)` of Lua, and gives it.
---     > nl.io.BytesIO("abc"):seek("end")
---     3
---@param whence? string|integer
---@param offset? integer
---@return integer
function BytesIO:seek(whence, offset)
  local starts = {set = 0, cur = self.at, ["end"] = #self.bytes}
  if math.type(whence) == "integer" then whence, offset = "set", whence end
  local start = starts[whence or "cur"]
  local place = start and math.type(offset or 0) == "integer" and start + (offset or 0)
  if not place or place < 0 then
    core.raise 'BytesIO:seek: a place from 0 on, or "set", "cur" or "end" and an offset expected'
  end
  self.at = place
  return place
end

--- Where the buffer stands.
---     > nl.io.BytesIO():write("abc"):tell()
---     3
---@return integer
function BytesIO:tell()
  return self.at
end

function BytesIO:__tostring()
  return ("BytesIO(%d bytes)"):format(#self.bytes)
end

return BytesIO
