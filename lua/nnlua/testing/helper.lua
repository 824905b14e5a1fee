-- busted --helper=nnlua.testing.helper: the assertions of nnlua.testing, and its reset before each spec. `nnlua test`
-- does the same by itself.

local testing = require "nnlua.testing"

testing.install()
require "busted".before_each(testing.reset) -- at the root, so before every before_each of a spec

return testing
