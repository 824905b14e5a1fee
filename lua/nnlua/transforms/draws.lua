-- What transforms draw from the default generator.

local nl = require "nnlua"

local draws = {}

--- A number between two, as a float32.
function draws.uniform(low, high)
  return nl.empty(1):uniform_(low, high):item()
end

--- A whole number from low on, below high.
function draws.whole(low, high)
  return nl.randint(low, high, {1}):item()
end

--- Whether something happens that has probability p.
function draws.happens(p)
  return nl.rand(1):item() < p
end

return draws
