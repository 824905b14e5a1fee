-- How far to go in a direction: a search for a step that satisfies the strong Wolfe conditions, as Nocedal and Wright
-- describe it (Numerical Optimization, 2nd edition, algorithms 3.5 and 3.6), with PyTorch's safeguards.
--
-- A point is a table {t, loss, gradient, slope}: the step, what there is at it, and the slope along the direction.

local line_search = {}

local decrease, curvature, most_tries = 1e-4, 0.9, 25

--- The lowest place of the cubic through two points with their slopes, kept within bounds.
local function cubic_minimum(a, b, low, high)
  if a.t > b.t then a, b = b, a end
  local d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
  local square = d1 * d1 - a.slope * b.slope
  if square < 0 then return (low + high) / 2 end
  local d2 = math.sqrt(square)
  local t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
  return math.min(math.max(t, low), high)
end

local function is_too_high(point, start)
  return point.loss > start.loss + decrease * point.t * start.slope
end

local function is_flat(point, start)
  return math.abs(point.slope) <= -curvature * start.slope
end

--- Goes on in growing steps until the end of the search lies between two points. Gives these, or the end itself;
--- and how many tries it took.
local function bracket(evaluate, t, start)
  local previous, point, tries = start, evaluate(t), 0
  while tries < most_tries do
    if is_too_high(point, start) or tries > 1 and point.loss >= previous.loss then return previous, point, tries end
    if is_flat(point, start) then return point, nil, tries end
    if point.slope >= 0 then return previous, point, tries end
    t = cubic_minimum(previous, point, point.t + 0.01 * (point.t - previous.t), point.t * 10)
    previous, point, tries = point, evaluate(t), tries + 1
  end
  return start, point, tries
end

--- Keeps a step away from the ends of an interval, where the last one was close to an end too.
local function kept_inside(t, low, high, was_close)
  local margin = 0.1 * (high - low)
  if math.min(high - t, t - low) >= margin then return t, false end
  if not was_close and t < high and t > low then return t, true end
  return math.abs(t - high) < math.abs(t - low) and high - margin or low + margin, false
end

--- Narrows the interval between two points.
local function zoom(evaluate, a, b, start, tries, smallest)
  local low, high, close = a, b, false
  if b.loss < a.loss then low, high = b, a end
  while tries < most_tries and math.abs(a.t - b.t) >= smallest do
    local left, right = math.min(a.t, b.t), math.max(a.t, b.t)
    local t
    t, close = kept_inside(cubic_minimum(a, b, left, right), left, right, close)
    local point, done = evaluate(t), false
    tries = tries + 1
    if is_too_high(point, start) or point.loss >= low.loss then
      high = point
      if high.loss < low.loss then low, high = high, low end
    else
      if is_flat(point, start) then
        done = true
      elseif point.slope * (high.t - low.t) >= 0 then
        high = low
      end
      low = point
    end
    a, b = low, high
    if done then break end
  end
  return low
end

--- The point to go to. `evaluate(t)` gives the point at a step; `start` is the one at 0; an interval narrower than
--- `smallest` is not divided any more.
function line_search.strong_wolfe(evaluate, t, start, smallest)
  local a, b, tries = bracket(evaluate, t, start)
  if not b then return a end
  return zoom(evaluate, a, b, start, tries, smallest)
end

return line_search
