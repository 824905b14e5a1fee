-- What a file says of a program's outputs, and whether it is so.

local nl = require "nnlua"
local core = require "nnlua.program.core"

local claims = {}

--- Forms of tensors that a program takes: of sizes that only have names some that differ. nil where there are none.
local function forms_of(contents)
  local sizes, forms, next_size = {}, {}, 2
  for i, id in ipairs(contents.inputs) do
    local input, shape = contents.values[id], {}
    if not input.dtype or not input.shape or input.is_sequence then return nil end
    for d, size in ipairs(input.shape) do
      local given = math.type(size) and size or sizes[size]
      if not given then
        given, next_size = next_size, next_size + 1
        if size and size ~= "?" then sizes[size] = given end
      end
      shape[d] = given
    end
    forms[i] = nl.empty(shape, {dtype = input.dtype, device = "meta"})
  end
  return forms
end

--- What a program consists of. What the file that it was read from says of its outputs may be wrong, and ONNX Runtime
--- refuses dtypes that are: so it is run on forms, where it can be, which puts that right.
function claims.checked_contents(data)
  local contents, says = core.contents(data), false
  for _, output in ipairs(contents.outputs) do
    says = says or output.value and contents.values[output.value].is_claimed
  end
  for _, step in ipairs(contents.steps) do says = says and not step.in_place end
  local forms = says and forms_of(contents)
  if not forms then return contents end
  local _ <close> = nl.no_grad()
  local drawn = nl.get_rng_state()
  pcall(core.run, data, table.unpack(forms))
  nl.set_rng_state(drawn)
  return core.contents(data)
end

return claims
