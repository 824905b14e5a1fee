-- The public name of transformed_base.lua, which has what its subclasses share as well.

return {TransformedDistribution = require "nnlua.distributions.transformed_base".TransformedDistribution}
