-- The von Mises distribution, of angles.

local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"

local von_mises = {}

local pi = math.pi

-- Logarithms of the modified Bessel functions of the orders 0 and 1: M. Abramowitz and I. A. Stegun, "Handbook of
-- mathematical functions", 9.8.1 to 9.8.4, as PyTorch has them, in single precision.
local small = {
  [0] = {1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2},
  [1] = {0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3},
}
local large = {
  [0] = {0.39894228, 0.1328592e-1, 0.225319e-2, -0.157565e-2, 0.916281e-2, -0.2057706e-1, 0.2635537e-1, -0.1647633e-1,
    0.392377e-2},
  [1] = {0.39894228, -0.3988024e-1, -0.362018e-2, 0.163801e-2, -0.1031555e-1, 0.2282967e-1, -0.2895312e-1,
    0.1787654e-1, -0.420059e-2},
}

local function polynomial(coefficients, y)
  local result = coefficients[#coefficients]
  for i = #coefficients - 1, 1, -1 do result = coefficients[i] + y * result end
  return result
end

local function log_bessel(order, x)
  local y = x / 3.75
  local below = polynomial(small[order], y * y)
  if order == 1 then below = x:abs() * below end
  local above = x - 0.5 * x:log() + polynomial(large[order], 3.75 / x):log()
  return nl.where(x:lt(3.75), below:log(), above)
end

--- Angles from -pi to pi about loc, the nearer the larger the concentration: `VonMises(loc, concentration)`. mean and
--- variance are the circular ones.
---     > nl.distributions.VonMises(0, 1):log_prob(nl.tensor(0.0))
---     tensor(-1.0738)
---@class VonMises: Distribution
---@field loc Tensor
---@field concentration Tensor
local VonMises = distribution.define_broadcast("VonMises", distribution.Distribution, {
  {"loc", "numeric"}, {"concentration", "numeric"},
})
von_mises.VonMises = VonMises

VonMises.arg_constraints = {loc = constraints.real, concentration = constraints.positive}
VonMises.support = constraints.real

function VonMises.get:mean() return self.loc end
function VonMises.get:mode() return self.loc end

function VonMises.lazy:variance()
  return 1 - (log_bessel(1, self.concentration) - log_bessel(0, self.concentration)):exp()
end

function VonMises:log_prob(value)
  self:_validate_sample(value)
  return self.concentration * nl.cos(value - self.loc) - math.log(2 * pi) - log_bessel(0, self.concentration)
end

-- The parameter of the wrapped Cauchy distribution that draws are proposed by; its limit for small concentrations.
local function proposal(kappa)
  local tau = 1 + (1 + 4 * kappa ^ 2):sqrt()
  local rho = (tau - (2 * tau):sqrt()) / (2 * kappa)
  return nl.where(kappa:lt(1e-5), 1 / kappa + kappa, (1 + rho ^ 2) / (2 * rho))
end

-- By rejection: D. J. Best and N. I. Fisher, "Efficient simulation of the von Mises distribution" (1979), in float64,
-- all of the draws again until each has been accepted once.
function VonMises:_sample(shape, options)
  local whole, kappa = self:_extended_shape(shape), self.concentration:double()
  local r, x = proposal(kappa), nl.zeros(whole, {dtype = nl.float64})
  local done = nl.zeros(whole, {dtype = nl.bool})
  local drawn = {dtype = nl.float64, generator = options and options.generator}
  while not done:all():item() do
    local u1, u2, u3 = nl.rand({3, table.unpack(whole:totable())}, drawn):unbind()
    local z = nl.cos(pi * u1)
    local f = (1 + r * z) / (r + z)
    local c = kappa * (r - f)
    local accepted = (c * (2 - c) - u2):gt(0) | ((c / u2):log() + 1 - c):ge(0)
    x = nl.where(accepted, (u3 - 0.5):sign() * f:acos(), x)
    done = done | accepted
  end
  return ((x + pi + self.loc:double()) % (2 * pi) - pi):to(self.loc.dtype)
end

return von_mises
