-- The files of TensorBoard's projector: points, what is known of each, their pictures, and the list of all of it.

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"
local summary = require "nnlua.utils.tensorboard.summary"
local system = require "nnlua.system"

local projector = {}

local raise = core.raise

local function write(path, text)
  system.write_bytes("add_embedding", path, text)
end

local function points_text(mat)
  local lines = {}
  for i, row in ipairs(mat:tolist()) do
    for k, x in ipairs(row) do row[k] = math.type(x) == "float" and repr.shortest(x) or tostring(x) end
    lines[i] = table.concat(row, "\t") .. "\n"
  end
  return table.concat(lines)
end

--- A text for each point, or with a header a list of as many.
local function metadata_text(metadata, header)
  local lines = {}
  if header then
    if #header ~= #metadata[1] then
      raise "add_embedding: metadata_header must have a name for each column of metadata"
    end
    lines[1] = table.concat(header, "\t")
  end
  for _, one in ipairs(metadata) do
    local texts = {}
    for k, text in ipairs(header and one or {one}) do texts[k] = tostring(text) end
    lines[#lines + 1] = table.concat(texts, "\t")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The pictures of all points side by side in a square.
local function sprite(images)
  local columns = math.ceil((#images) ^ 0.5)
  local grid = summary.grid(images:detach(), columns)
  local square = nl.zeros(3, grid:size(3), grid:size(3))
  square:narrow(2, 1, grid:size(2)):copy_(grid)
  return nl.io.encode_png((square * 255):clamp(0, 255):to(nl.uint8)):tobytes()
end

local function check(mat, metadata, images)
  if not core.is_tensor(mat) or mat.ndim ~= 2 then
    raise("add_embedding: mat must be a tensor (points, features), not " .. core.describe(mat))
  elseif metadata and #metadata ~= #mat then
    raise(("add_embedding: there are %d metadata for %d points"):format(#metadata, #mat))
  elseif images and (not core.is_tensor(images) or images.ndim ~= 4 or #images ~= #mat or images:numel() == 0) then
    raise(("add_embedding: label_img must be a tensor (%d, channels, height, width)"):format(#mat))
  end
end

--- Writes the files of an embedding below a folder, and gives its entry in the list.
function projector.add(folder, subfolder, name, mat, metadata, images, header)
  check(mat, metadata, images)
  local place = folder .. "/" .. subfolder
  system.make_folder("add_embedding", place)
  local lines = {('  tensor_name: "%s"'):format((name:gsub('["\\]', "\\%0")))}
  if metadata then
    write(place .. "/metadata.tsv", metadata_text(metadata, header))
    lines[#lines + 1] = ('  metadata_path: "%s/metadata.tsv"'):format(subfolder)
  end
  if images then
    write(place .. "/sprite.png", sprite(images))
    local dim = "    single_image_dim: %d\n"
    lines[#lines + 1] = ('  sprite {\n    image_path: "%s/sprite.png"\n' .. dim .. dim .. "  }"):format(subfolder,
      images:size(4), images:size(3))
  end
  write(place .. "/tensors.tsv", points_text(mat:detach()))
  lines[#lines + 1] = ('  tensor_path: "%s/tensors.tsv"'):format(subfolder)
  return "embeddings {\n" .. table.concat(lines, "\n") .. "\n}\n"
end

--- Writes the list of entries.
function projector.write_config(folder, entries)
  write(folder .. "/projector_config.pbtxt", table.concat(entries))
end

return projector
