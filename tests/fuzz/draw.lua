-- Random choices of a program: a generator of its own, so that a seed tells the whole program.
local Draw = {}
Draw.__index = Draw

local function mix(z)
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return z ~ (z >> 31)
end

--- A generator of choices; the same seed gives the same ones.
function Draw.new(seed)
  return setmetatable({state = mix(seed * 0xD1342543DE82EF95 + 1)}, Draw)
end

--- 64 random bits (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
function Draw:bits()
  self.state = self.state + 0x9E3779B97F4A7C15
  return mix(self.state)
end

--- An integer of first..last.
function Draw:integer(first, last)
  return first + (self:bits() >> 1) % (last - first + 1)
end

--- True with a probability.
function Draw:chance(p)
  return (self:bits() >> 11) < p * 0x1p53
end

--- An element of a list.
function Draw:pick(list)
  return list[self:integer(1, #list)]
end

--- The value of a list of {weight, value}.
function Draw:weighted(list)
  local sum = 0
  for _, entry in ipairs(list) do sum = sum + entry[1] end
  local at = self:integer(1, sum)
  for _, entry in ipairs(list) do
    at = at - entry[1]
    if at <= 0 then return entry[2] end
  end
end

return Draw
