--- Where nnlua differs from PyTorch 2.15 and means to. Each entry says in which cases (patterns of the family, of the
--- file's name and of the case's id), about what (a pattern of the runner's complaint), and why. docs/differences.md lists
--- them for readers.

local known = {}

local DIFFERENCES = {
  {"ops", "^linalg%.norm%.subgradients_at_zero$", "", "^second ",
    "a norm has no second derivative where it is 0: PyTorch has nan in some places and 0 in others"},
  {"errors", "^l[io][ng]space", "^error%.2$", "raises nothing", "1.0 is a whole number to Lua, and taken as a count"},
  {"ops", "polygamma", "^u?int", ": inf instead of ", "at negative whole numbers it has poles: PyTorch has some 1e15"},
  {"ops", "^special%.bessel_", "^float64", " differ, at most by ",
    "Bessel functions of float64 are right: PyTorch's are to some 1e-5"},
  {"ops", "^special%.airy_ai$", "^float64", " differ, at most by ", "as Bessel functions, below -2"},
  {"ops", "^masked%.logaddexp$", "^float", "^second .*instead of nan",
    "what is masked out has a second derivative of 0: PyTorch has nan"},
  {"ops", "^nn%.functional%.local_response_norm$", "^u?int", "elements differ",
    "the means of squares are fractions: PyTorch's are cut off"},
  {"ops", "^conj$", "^complex.*strided$", "^out 1: strides", "PyTorch's is a view that has a mark"},
  {"ops", "^ormqr$", "", "^grad [12]: a tensor of shape .* instead of nil$", "without reflections gradients are zeros"},
  {"ops", "^linalg%.householder_product$", "", "^grad [12]: a tensor of shape .* instead of nil$",
    "without reflections gradients are zeros"},
  {"ops", "^renorm$", "^complex", "^grad 1: .* instead of nan", "a gradient that is nan in PyTorch"},
  {"ops", "^cov$", "^complex64", "^grad 2: .* instead of 0 at", "a gradient that is 0 but for rounding"},
  {"ops", "^nn%.functional%.normalize$", "^float32", "^grad 1: .* 0%.0 instead of", "a gradient that is 0 but for rounding"},
  {"ops", "^nn%.functional%.cosine_similarity$", "^float16", "^grad 2: .* instead of 0 at",
    "a gradient that is 0 but for rounding"},
  {"ops", "^nn%.functional%.scaled_dot_product_attention$", "^float16", "^grad [12]: ",
    "gradients in halves go by the rounded result"},
  {"modules", "^CrossMapLRN2d$", "", "elements differ",
    "the sums leave out channels that went by: PyTorch's keep the first one in all windows"},
  {"optim", "^LBFGS$", "%.float32$", "^step ",
    "the line search goes by differences of losses: roundings of a float32 step decide where the next goes"},
}

--- Why a complaint about a case is to be expected, or nil.
function known.reason(family, name, id, complaint)
  for _, entry in ipairs(DIFFERENCES) do
    if family:find(entry[1]) and name:find(entry[2]) and id:find(entry[3]) and complaint:find(entry[4]) then
      return entry[5]
    end
  end
  return nil
end

return known
