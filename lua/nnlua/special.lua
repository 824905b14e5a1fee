-- nl.special: special functions under the names that PyTorch and SciPy have for them.

local nl = require "nnlua"

--- Special functions, most of them under another name in `nl` too.
local special = {
  expit = nl.sigmoid, gammaln = nl.lgamma, multigammaln = nl.mvlgamma, psi = nl.digamma,
}

for _, name in ipairs {
  "digamma", "erf", "erfc", "erfinv", "exp2", "expm1", "i0", "log1p", "log_softmax", "logit", "logsumexp", "polygamma",
  "round", "sinc", "softmax", "xlogy",
} do
  special[name] = nl[name]
end

return special
