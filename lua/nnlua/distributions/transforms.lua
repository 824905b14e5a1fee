-- nnlua.distributions.transforms: maps between the supports of distributions.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"
local transform = require "nnlua.distributions.transforms.transform"

--- Maps of values with their Jacobians; nl.distributions has them, too.
local transforms = {Transform = transform.Transform, class = transform.class}

guard.classes {transforms.Transform}

return on_demand.fields(transforms, guard.classes, {
  ["nnlua.distributions.transforms.combined"] = [[
    CatTransform ComposeTransform IndependentTransform ReshapeTransform StackTransform identity_transform]],
  ["nnlua.distributions.transforms.pointwise"] = [[
    AbsTransform AffineTransform CumulativeDistributionTransform ExpTransform PowerTransform SigmoidTransform
    SoftplusTransform TanhTransform]],
  ["nnlua.distributions.transforms.vectors"] = [[
    CorrCholeskyTransform LowerCholeskyTransform PositiveDefiniteTransform SoftmaxTransform StickBreakingTransform]],
})
